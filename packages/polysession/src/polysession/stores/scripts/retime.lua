-- Other timeouts of the same session, which counts as activity. KEYS: record, expiry, principals[, generation].
-- ARGV: session ID, unreturned ms, principal key, idle ms, absolute at, the flags that say how long the cookie is kept
local id, unreturned, key = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local header, otherwise = find_live(KEYS[1], unreturned)
if not header then
  return otherwise
end
if principal_key(header) ~= key then
  return { now, 'absent' } -- another principal's
end

local flags = bit.bor(bit.band(string.byte(header, 2), 243), RETURNED, tonumber(ARGV[6])) -- 243: all but keep
local seen = math.max((struct.unpack('>I6', header, 28)), now)
header = string.sub(header, 1, 1) .. string.char(flags) .. string.sub(header, 3, 27)
  .. struct.pack('>I6I6I6', seen, tonumber(ARGV[4]), tonumber(ARGV[5])) .. string.sub(header, 46)
redis.call('HSET', KEYS[1], '', header)
enter(KEYS[1], KEYS[2], id, header, unreturned)
if key ~= '' then
  local gone = math.max(tonumber(ARGV[5]), now) + RETENTION
  extend(KEYS[3], gone)
  extend(KEYS[4], gone)
end
return { now, 'written' }
