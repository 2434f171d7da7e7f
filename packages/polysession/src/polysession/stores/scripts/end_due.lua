-- Ends what an earlier reply named as due, if it still is. KEYS: expiry, principals, outbox, then a record each.
-- ARGV: unreturned ms, tombstone ms, then a session ID each. Answers session ID, reason, …
local unreturned, lives = tonumber(ARGV[1]), ARGV[2]
local expiry, principals, outbox = KEYS[1], KEYS[2], KEYS[3]

local ended = { now }
local function report(id, reason)
  ended[#ended + 1] = id
  ended[#ended + 1] = reason
end

-- Of a session without a record: only the index knows whose it was.
local function owner_of(id)
  local fields = redis.call('HGETALL', principals)
  for i = 1, #fields, 2 do
    local _, found = without(principals, fields[i], id)
    if found then
      return fields[i]
    end
  end
  return ''
end

for i = 3, #ARGV do
  local id, record = ARGV[i], KEYS[i + 1]
  local score = redis.call('ZSCORE', expiry, id)
  if score and tonumber(score) <= now then
    local header = redis.call('HGET', record, '')
    if not header then -- nobody came for a day, and Redis dropped it
      local key = owner_of(id)
      local flags, part = 0, ''
      if key ~= '' then
        flags, part = SIGNED_IN, struct.pack('>I4', 0) .. key
      end
      leave(expiry, principals, id, key)
      tell(outbox, '.e', record, string.char(RECORD, flags) .. string.rep('\0', 43) .. part, AN_END, IDLE)
      report(id, IDLE)
    elseif kind(header) ~= RECORD then
      leave(expiry, principals, id, owner_of(id))
    elseif expires_at(header, unreturned) <= now then
      local reason = expiry_reason(header)
      bury(record, expiry, principals, outbox, id, header, reason, lives)
      report(id, reason)
    else
      enter(record, expiry, id, header, unreturned)
    end
  end
end
return ended
