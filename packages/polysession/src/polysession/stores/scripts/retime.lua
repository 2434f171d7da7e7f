-- Other timeouts of the same session, which counts as activity. KEYS: record, expiry[, principal].
-- ARGV: session ID, unreturned ms, principal key, idle ms, absolute at, the flags that say how long the cookie is kept
local id, unreturned, key = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local header, otherwise = find_live(KEYS[1], unreturned)
if not header then
  return otherwise
end
if principal_key(header) ~= key then
  return { now, 'absent' } -- another principal's
end

local flags = bit.bor(bit.band(string.byte(header, 2), 243), 2, tonumber(ARGV[6])) -- 243: all but keep; returned
local seen = math.max(number(header, 29, 8), now)
header = string.sub(header, 1, 1) .. string.char(flags) .. string.sub(header, 3, 29)
  .. struct.pack('>I8I8I8', seen, tonumber(ARGV[4]), tonumber(ARGV[5])) .. string.sub(header, 54)
redis.call('HSET', KEYS[1], '', header)
enter(KEYS[1], KEYS[2], id, header, unreturned)
if KEYS[3] then
  extend(KEYS[3], math.max(tonumber(ARGV[5]), now) + RETENTION)
end
return { now, 'written' }
