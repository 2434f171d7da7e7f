-- Put before each script. Offsets are those of the table in core/codec.py, counted from 0 as there.
-- Every script answers Redis' time first: the caller corrects its clock by it.
local RECORD, TOMBSTONE = 1, 2
local CLAIM = 64 -- a flag: no session, so it enters no index, and Redis drops it
local IDLE, ABSOLUTE, REPLACED = 1, 2, 5 -- indexes in core/record.py, END_REASONS
local RETENTION = 86400000 -- a record outlives its expiry by a day: the keeper, not Redis, ends it
local DUE = 16
local ENDED, ROTATED = 1, 2 -- kinds in stores/outbox.py
-- Without a keeper nobody empties the outbox: bounded in time and number; the ledger never asks for anonymous sessions.
local KEPT, MOST, MOST_ANONYMOUS = 7 * 86400000, 4096, 256

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function number(header, offset, size)
  return (struct.unpack('>I' .. size, header, offset + 1))
end

local function kind(header)
  return string.byte(header, 1)
end

local function secret_hash(header)
  return string.sub(header, 6, 21)
end

local function principal_key(header)
  if string.byte(header, 90) == 0 then
    return ''
  end
  return string.sub(header, 90, 111)
end

-- The same rules as core/timeouts.py.
local function expires_at(header, unreturned)
  local at = math.min(number(header, 29, 8) + number(header, 37, 8), number(header, 45, 8))
  if bit.band(string.byte(header, 2), 3) == 0 then -- neither signed in nor returned
    at = math.min(at, number(header, 21, 8) + unreturned)
  end
  return at
end

local function expiry_reason(header)
  if now >= number(header, 45, 8) then
    return ABSOLUTE
  end
  return IDLE
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
  if bit.band(string.byte(header, 2), CLAIM) ~= 0 then
    redis.call('PEXPIREAT', record, at)
    return
  end
  local gone = math.max(at, now) + RETENTION
  redis.call('PEXPIREAT', record, gone)
  redis.call('ZADD', expiry, at, id .. ':' .. principal_key(header))
  extend(expiry, gone)
end

local function leave(expiry, principal, id, key)
  redis.call('ZREM', expiry, id .. ':' .. key)
  if key ~= '' then
    redis.call('HDEL', principal, id)
  end
end

local function session_ids(principal)
  local ids = {}
  for _, id in ipairs(redis.call('HKEYS', principal)) do
    if id ~= '' then
      ids[#ids + 1] = id
    end
  end
  return ids
end

-- Redis lets a script that has written go on: after this, which changes nothing, what needs no memory to speak of is
-- done even where memory is full. `key` has a time to live that no 2^52 ms can lower.
local function despite_full_memory(key)
  redis.call('PEXPIRE', key, 4503599627370496, 'LT')
end

-- A fact for the keeper: kind, reason, time, then the fixed prefix of the header, whose offsets are known.
local function tell(outbox, event, id, header, what, reason)
  local most = principal_key(header) == '' and MOST_ANONYMOUS or MOST
  if redis.call('HLEN', outbox) < most then
    redis.call('HSET', outbox, id .. event, struct.pack('>BBI8', what, reason, now) .. string.sub(header, 1, 111))
    extend(outbox, now + KEPT)
  end
end

-- DEL first: Redis lets a script that has written go on, so a session ends even where memory is full.
local function bury(record, expiry, outbox, principal, id, header, reason, lives, successor)
  redis.call('DEL', record)
  redis.call('HSET', record, '', struct.pack('>BBI8', TOMBSTONE, reason, now) .. (successor or ''))
  redis.call('PEXPIRE', record, lives)
  leave(expiry, principal, id, principal_key(header))
  tell(outbox, '.e', id, header, ENDED, reason)
end

local function due(expiry)
  return redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, DUE)
end
