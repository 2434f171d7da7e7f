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
  local generation, count, till = math.max(generation_of(header), tonumber(ARGV[7])), tonumber(ARGV[5]), tonumber(ARGV[6])
  local previous_hash, previous_until, nonce = rotation(header)
  if till > 0 or count > number(header, 3, 2) + 1 then
    local _, tail = offsets(header)
    header = string.sub(header, 1, 2) .. ARGV[4] .. struct.pack('>I2', count) .. ARGV[3]
      .. string.sub(header, 22, tail) .. (ARGV[8] == '' and string.sub(header, tail + 1) or ARGV[8])
    header = with_rotation(with_generation(header, generation), ARGV[2], math.max(1, till), nonce)
  elseif not is_offered(previous_hash, previous_until, nonce) or previous_hash ~= ARGV[3] then
    header = with_rotation(header, ARGV[3], 0, string.rep('\255', 8)) -- the ledger's, by age: an offer (core/rotation.py)
  end
  rotated = till > 0
end
-- Also when repeated: a confirmation counts only what its own connection wrote.
despite_full_memory(KEYS[1])
redis.call('HSET', KEYS[1], '', header)
if rotated then
  tell(KEYS[2], '.r' .. ARGV[5], KEYS[1], header, A_ROTATION, 0)
end
return { now, 'written' }
