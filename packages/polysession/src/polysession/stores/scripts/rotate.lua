-- A new secret for the same session. KEYS: record, outbox.
-- ARGV: unreturned ms, expected hash, new hash, pepper ID, rotation count, previous until (0: the ledger's), generation,
-- the header's tail from now on ('': as it is)
local unreturned = tonumber(ARGV[1])

local header, otherwise = find_live(KEYS[1], unreturned)
if not header then
  return otherwise
end

local rotated = false
if secret_hash(header) ~= ARGV[3] then
  if secret_hash(header) ~= ARGV[2] then
    return { now, 'conflicted' }
  end
  local generation, count, till = math.max(number(header, 53, 4), tonumber(ARGV[7])), tonumber(ARGV[5]), tonumber(ARGV[6])
  local offered = string.sub(header, 82, 89) ~= string.rep('\0', 8) and number(header, 73, 8) == 0
  if till > 0 or count > number(header, 3, 2) + 1 then
    header = string.sub(header, 1, 2) .. ARGV[4] .. struct.pack('>I2', count) .. ARGV[3]
      .. string.sub(header, 22, 53) .. struct.pack('>I4', generation)
      .. ARGV[2] .. struct.pack('>I8', math.max(1, till)) .. string.sub(header, 82, 111)
      .. (ARGV[8] == '' and string.sub(header, 112) or ARGV[8])
  elseif not offered or string.sub(header, 58, 73) ~= ARGV[3] then -- the ledger's, by age: an offer (core/rotation.py)
    header = string.sub(header, 1, 57) .. ARGV[3] .. struct.pack('>I8', 0) .. string.rep('\255', 8) .. string.sub(header, 90)
  end
  rotated = till > 0
end
-- Also when repeated: a confirmation counts only what its own connection wrote.
despite_full_memory(KEYS[1])
redis.call('HSET', KEYS[1], '', header)
if rotated then
  tell(KEYS[2], '.r' .. ARGV[5], string.match(KEYS[1], '[^:]*$'), header, ROTATED, 0)
end
return { now, 'written' }
