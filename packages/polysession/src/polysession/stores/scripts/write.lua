-- All changes or none. KEYS: record[, expiry: touch as well].
-- ARGV: session ID, unreturned ms, then name, expected tag ('': not there), attribute ('': delete), …
local id, unreturned = ARGV[1], tonumber(ARGV[2])

local header, otherwise = find_live(KEYS[1], unreturned)
if not header then
  return otherwise
end

local disputed, set, deleted = { now, 'conflicted' }, {}, {}
for i = 3, #ARGV, 3 do
  local name, expected, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local current = redis.call('HGET', KEYS[1], name)
  local tag = current and string.sub(current, 1, 8) or ''
  -- An earlier try of this write may have done it: its tag is random, so nobody else's is the same.
  if tag ~= string.sub(value, 1, 8) then
    if tag ~= expected then
      disputed[#disputed + 1] = name
      disputed[#disputed + 1] = current
    elseif value == '' then
      deleted[#deleted + 1] = name
    else
      set[#set + 1] = name
      set[#set + 1] = value
    end
  end
end
if #disputed > 2 then
  return disputed
end

if KEYS[2] and #set == 0 then
  despite_full_memory(KEYS[1]) -- a touch alone: people who are active must not idle out by an outage
end
if KEYS[2] then
  local seen = math.max((struct.unpack('>I6', header, 28)), now)
  local flags = bit.bor(string.byte(header, 2), RETURNED)
  header = string.sub(header, 1, 1) .. string.char(flags) .. string.sub(header, 3, 27)
    .. struct.pack('>I6', seen) .. string.sub(header, 34)
  set[#set + 1] = ''
  set[#set + 1] = header
end
if #set > 0 then
  redis.call('HSET', KEYS[1], unpack(set))
end
if #deleted > 0 then
  redis.call('HDEL', KEYS[1], unpack(deleted))
end
if KEYS[2] then
  enter(KEYS[1], KEYS[2], id, header, unreturned)
end
return { now, 'written' }
