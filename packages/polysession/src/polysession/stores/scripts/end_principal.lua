-- Raises the principal's generation and ends its sessions but one. KEYS: expiry, principal, outbox, then a record each.
-- ARGV: principal key, unreturned ms, tombstone ms, reason, generation, session ID to keep, then a session ID each.
-- Answers session ID, reason, … of the ended; then the session IDs that the principal has and the caller did not name.
local key, unreturned, lives, reason = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local expiry, principal, outbox, keep = KEYS[1], KEYS[2], KEYS[3], ARGV[6]

local generation = math.max(tonumber(redis.call('HGET', principal, '') or 0), tonumber(ARGV[5]))
despite_full_memory(principal)
redis.call('HSET', principal, '', generation) -- also when repeated
extend(principal, now + RETENTION)

local ended, named = {}, { [keep] = true, [''] = true }
for i = 7, #ARGV do
  local id, record = ARGV[i], KEYS[i - 3]
  local header = redis.call('HGET', record, '')
  local live = header and kind(header) == RECORD and principal_key(header) == key
  named[id] = true
  if id == keep then
    if live and number(header, 53, 4) < generation then
      header = string.sub(header, 1, 53) .. struct.pack('>I4', generation) .. string.sub(header, 58)
      redis.call('HSET', record, '', header)
    end
  elseif live then
    local why = reason
    if expires_at(header, unreturned) <= now then
      why = expiry_reason(header)
    end
    bury(record, expiry, outbox, principal, id, header, why, lives)
    ended[#ended + 1] = id
    ended[#ended + 1] = why
  else
    if header and kind(header) ~= RECORD then
      redis.call('PEXPIRE', record, lives)
    end
    leave(expiry, principal, id, key)
  end
end

local missing = {}
for _, id in ipairs(redis.call('HKEYS', principal)) do
  if not named[id] then
    missing[#missing + 1] = id
  end
end
return { now, ended, missing }
