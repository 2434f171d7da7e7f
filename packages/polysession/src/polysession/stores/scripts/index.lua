-- Put after header.lua, before the scripts that do more than write attributes: rotation, ends, indexes, the outbox.
local IDLE, ABSOLUTE, REPLACED = 1, 2, 5 -- indexes in core/record.py, END_REASONS
local NO_HASH, NO_NONCE = string.rep('\0', 16), string.rep('\0', 8)
local DUE = 16
local AN_END, A_ROTATION = 1, 2 -- kinds in stores/outbox.py
-- Without a keeper nobody empties the outbox: bounded in time and number; the ledger never asks for anonymous sessions.
local KEPT, MOST, MOST_ANONYMOUS = 7 * 86400000, 4096, 256

local function number(header, offset, size)
  return (struct.unpack('>I' .. size, header, offset + 1))
end

local function expiry_reason(header)
  if now >= number(header, 39, 6) then
    return ABSOLUTE
  end
  return IDLE
end

local function generation_of(header)
  return has(header, SIGNED_IN) and number(header, 45, 4) or 0
end

local function with_generation(header, generation)
  if not has(header, SIGNED_IN) then
    return header
  end
  return string.sub(header, 1, 45) .. struct.pack('>I4', generation) .. string.sub(header, 50)
end

-- Where the part of a rotation begins, or would; and where the tail does.
local function offsets(header)
  local at = has(header, SIGNED_IN) and 65 or 45
  return at, has(header, ROTATED) and at + 30 or at
end

-- Previous hash, previous until, nonce.
local function rotation(header)
  if not has(header, ROTATED) then
    return NO_HASH, 0, NO_NONCE
  end
  local at = offsets(header)
  return string.sub(header, at + 1, at + 16), number(header, at + 16, 6), string.sub(header, at + 23, at + 30)
end

local function with_rotation(header, previous_hash, previous_until, nonce)
  local at, tail = offsets(header)
  return string.sub(header, 1, 1) .. string.char(bit.bor(string.byte(header, 2), ROTATED)) .. string.sub(header, 3, at)
    .. previous_hash .. struct.pack('>I6', previous_until) .. nonce .. string.sub(header, tail + 1)
end

local function is_offered(previous_hash, previous_until, nonce)
  return nonce ~= NO_NONCE and previous_hash ~= NO_HASH and previous_until == 0
end

local function session_ids(principals, key)
  local ids, joined = {}, redis.call('HGET', principals, key) or ''
  for i = 1, #joined, 12 do
    ids[#ids + 1] = string.sub(joined, i, i + 11)
  end
  return ids
end

-- The principal's session IDs without `id`, and whether that was there.
local function without(principals, key, id)
  local others, found = {}, false
  for _, one in ipairs(session_ids(principals, key)) do
    if one == id then
      found = true
    else
      others[#others + 1] = one
    end
  end
  return others, found
end

local function join(principals, id, key)
  local others = without(principals, key, id)
  redis.call('HSET', principals, key, table.concat(others) .. id)
end

local function leave(expiry, principals, id, key)
  redis.call('ZREM', expiry, id)
  if key ~= '' then
    local others, found = without(principals, key, id)
    if found and #others == 0 then
      redis.call('HDEL', principals, key)
    elseif found then
      redis.call('HSET', principals, key, table.concat(others))
    end
  end
end

-- A fact for the keeper: kind, reason, time, then the header without its tail, whose offsets are known.
local function tell(outbox, event, record, header, what, reason)
  local most = has(header, SIGNED_IN) and MOST or MOST_ANONYMOUS
  if redis.call('HLEN', outbox) < most then
    local _, tail = offsets(header)
    local fact = struct.pack('>BBI8', what, reason, now) .. string.sub(header, 1, tail)
    redis.call('HSET', outbox, string.match(record, '[^:]*$') .. event, fact)
    extend(outbox, now + KEPT)
  end
end

-- DEL first: Redis lets a script that has written go on, so a session ends even where memory is full.
local function bury(record, expiry, principals, outbox, id, header, reason, lives, successor)
  redis.call('DEL', record)
  redis.call('HSET', record, '', struct.pack('>BBI8', TOMBSTONE, reason, now) .. (successor or ''))
  redis.call('PEXPIRE', record, lives)
  leave(expiry, principals, id, principal_key(header))
  tell(outbox, '.e', record, header, AN_END, reason)
end

local function due(expiry)
  return redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, DUE)
end
