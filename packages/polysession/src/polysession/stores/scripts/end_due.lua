-- Ends what an earlier reply named as due, if it still is. KEYS: expiry, outbox, then record, principal (or expiry: none), …
-- ARGV: unreturned ms, tombstone ms, then a member of the expiry set each. Answers session ID, reason, …
local unreturned, lives = tonumber(ARGV[1]), ARGV[2]
local expiry, outbox = KEYS[1], KEYS[2]

local ended = { now }
local function report(id, reason)
  ended[#ended + 1] = id
  ended[#ended + 1] = reason
end

for i = 3, #ARGV do
  local record, principal = KEYS[2 * i - 3], KEYS[2 * i - 2]
  local id, key = string.match(ARGV[i], '^([^:]*):(.*)$')
  local score = redis.call('ZSCORE', expiry, ARGV[i])
  if score and tonumber(score) <= now then
    local header = redis.call('HGET', record, '')
    if not header then -- nobody came for a day, and Redis dropped it
      leave(expiry, principal, id, key)
      tell(outbox, '.e', id, string.rep('\0', 89) .. (key == '' and string.rep('\0', 22) or key), ENDED, IDLE)
      report(id, IDLE)
    elseif kind(header) ~= RECORD then
      leave(expiry, principal, id, key)
    elseif expires_at(header, unreturned) <= now then
      local reason = expiry_reason(header)
      bury(record, expiry, outbox, principal, id, header, reason, lives)
      report(id, reason)
    else
      enter(record, expiry, id, header, unreturned)
    end
  end
end
return ended
