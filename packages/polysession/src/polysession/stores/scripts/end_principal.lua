-- Raises the principal's generation and ends its sessions but one. KEYS: expiry, principals, outbox, generation, then a record each.
-- ARGV: principal key, unreturned ms, tombstone ms, reason, generation, session ID to keep, then a session ID each.
-- Answers session ID, reason, … of the ended; then the session IDs that the principal has and the caller did not name.
local key, unreturned, lives, reason = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local expiry, principals, outbox, raised, keep = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[6]

local generation = math.max(tonumber(redis.call('GET', raised) or 0), tonumber(ARGV[5]))
despite_full_memory(raised)
redis.call('SET', raised, generation, 'KEEPTTL') -- also when repeated
extend(raised, now + RETENTION)

local ended, named = {}, { [keep] = true }
for i = 7, #ARGV do
  local id, record = ARGV[i], KEYS[i - 2]
  local header = redis.call('HGET', record, '')
  local live = header and kind(header) == RECORD and principal_key(header) == key
  named[id] = true
  if id == keep then
    if live and generation_of(header) < generation then
      redis.call('HSET', record, '', with_generation(header, generation))
    end
  elseif live then
    local why = reason
    if expires_at(header, unreturned) <= now then
      why = expiry_reason(header)
    end
    bury(record, expiry, principals, outbox, id, header, why, lives)
    ended[#ended + 1] = id
    ended[#ended + 1] = why
  else
    if header and kind(header) ~= RECORD then
      redis.call('PEXPIRE', record, lives)
    end
    leave(expiry, principals, id, key)
  end
end

local missing = {}
for _, id in ipairs(session_ids(principals, key)) do
  if not named[id] then
    missing[#missing + 1] = id
  end
end
return { now, ended, missing }
