-- A successor by age beside the secret that it will follow. KEYS: record, outbox.
-- ARGV: unreturned ms, expected hash, successor's hash, nonce, the successor's rotation count
-- Answers what is on offer: nonce, successor's hash, 1 if it was not before.
local unreturned = tonumber(ARGV[1])

local header, otherwise = find_live(KEYS[1], unreturned)
if not header then
  return otherwise
end
if secret_hash(header) ~= ARGV[2] then
  return { now, 'conflicted' }
end

local successor, till, nonce = rotation(header)
local offered = is_offered(successor, till, nonce)
if not offered then
  nonce, successor = ARGV[4], ARGV[3]
  header = with_rotation(header, successor, 0, nonce)
end
-- Also when repeated: a confirmation counts only what its own connection wrote.
despite_full_memory(KEYS[1])
redis.call('HSET', KEYS[1], '', header)
if not offered then
  -- As the record will be once the successor was used: the ledger knows both hashes before that.
  local after = string.sub(header, 1, 3) .. struct.pack('>I2', tonumber(ARGV[5])) .. successor .. string.sub(header, 22)
  tell(KEYS[2], '.r' .. ARGV[5], KEYS[1], with_rotation(after, ARGV[2], 0, nonce), A_ROTATION, 0)
end
return { now, 'offered', nonce, successor, offered and 0 or 1 }
