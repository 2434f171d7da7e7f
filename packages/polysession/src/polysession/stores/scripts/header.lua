-- Put before each script: what a record's header says, and what every write needs. Offsets are those of the table in
-- core/codec.py, counted from 0 as there. Every script answers Redis' time first: the caller corrects its clock by it.
-- A session's ID is 12 bytes here, a principal key 16; their text stands in names of keys and events only.
local RECORD, TOMBSTONE = 1, 2
local SIGNED_IN, RETURNED, ROTATED = 1, 2, 16 -- flags
local CLAIM = 64 -- a flag: no session, so it enters no index, and Redis drops it
local RETENTION = 86400000 -- a record outlives its expiry by a day: the keeper, not Redis, ends it

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function kind(header)
  return string.byte(header, 1)
end

local function has(header, flag)
  return bit.band(string.byte(header, 2), flag) ~= 0
end

local function secret_hash(header)
  return string.sub(header, 6, 21)
end

local function principal_key(header)
  return has(header, SIGNED_IN) and string.sub(header, 50, 65) or ''
end

-- The same rules as core/timeouts.py.
local function expires_at(header, unreturned)
  local created, seen, idle, absolute = struct.unpack('>I6I6I6I6', header, 22)
  local at = math.min(seen + idle, absolute)
  if bit.band(string.byte(header, 2), SIGNED_IN + RETURNED) == 0 then
    at = math.min(at, created + unreturned)
  end
  return at
end

-- The header of a live record; or nil, and the script's answer. Who is told `expired` ends it, with all its keys declared.
local function find_live(record, unreturned)
  local header = redis.call('HGET', record, '')
  if not header then
    return nil, { now, 'absent' }
  end
  if kind(header) ~= RECORD then
    return nil, { now, 'tombstone', header }
  end
  if expires_at(header, unreturned) <= now then
    return nil, { now, 'expired', principal_key(header) }
  end
  return header
end

-- Indexes live at least as long as the last record that they name.
local function extend(key, at)
  if redis.call('PEXPIRETIME', key) < at then
    redis.call('PEXPIREAT', key, at)
  end
end

local function enter(record, expiry, id, header, unreturned)
  local at = expires_at(header, unreturned)
  if has(header, CLAIM) then
    redis.call('PEXPIREAT', record, at)
    return
  end
  local gone = math.max(at, now) + RETENTION
  redis.call('PEXPIREAT', record, gone)
  redis.call('ZADD', expiry, at, id)
  extend(expiry, gone)
end

-- Redis lets a script that has written go on: after this, which changes nothing, what needs no memory to speak of is
-- done even where memory is full. `key` has a time to live that no 2^52 ms can lower.
local function despite_full_memory(key)
  redis.call('PEXPIRE', key, 4503599627370496, 'LT')
end
