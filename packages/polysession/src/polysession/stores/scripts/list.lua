-- A principal's unexpired sessions. KEYS: expiry, principals, then a record each.
-- ARGV: principal key, unreturned ms, then a session ID each.
-- Answers the session IDs that the principal has, what is due in the partition, and the headers of the live ones named.
local key, unreturned = ARGV[1], tonumber(ARGV[2])

local live = {}
for i = 3, #ARGV do
  local header = redis.call('HGET', KEYS[i], '')
  if header and kind(header) == RECORD and principal_key(header) == key and expires_at(header, unreturned) > now then
    live[#live + 1] = ARGV[i]
    live[#live + 1] = header
  end
end

return { now, session_ids(KEYS[2], key), due(KEYS[1]), live }
