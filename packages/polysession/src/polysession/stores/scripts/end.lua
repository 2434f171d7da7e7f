-- A tombstone in place of the record, once. KEYS: record, expiry, principals, outbox.
-- ARGV: session ID, unreturned ms, tombstone ms, reason, principal key, '1' with tags, successor, then name, tag, …
local id, unreturned, lives, reason, key = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]

local header = redis.call('HGET', KEYS[1], '')
if not header then
  leave(KEYS[2], KEYS[3], id, key)
  return { now, 'absent' }
end
if kind(header) ~= RECORD then
  redis.call('PEXPIRE', KEYS[1], lives) -- also when repeated: a confirmation counts only what its own connection wrote
  return { now, 'tombstone', header }
end
if principal_key(header) ~= key then
  return { now, 'absent' } -- another principal's
end

if reason == IDLE or reason == ABSOLUTE then
  if expires_at(header, unreturned) > now then
    return { now, 'conflicted' }
  end
  reason = expiry_reason(header)
end

if ARGV[6] == '1' then
  local tags, differing = {}, { now, 'conflicted' }
  for i = 8, #ARGV, 2 do
    tags[ARGV[i]] = ARGV[i + 1]
  end
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name ~= '' and tags[name] ~= string.sub(value, 1, 8) then
      differing[#differing + 1] = name
      differing[#differing + 1] = value
    end
    tags[name] = nil
  end
  for name in pairs(tags) do
    differing[#differing + 1] = name
    differing[#differing + 1] = false
  end
  if #differing > 2 then
    return differing
  end
end

bury(KEYS[1], KEYS[2], KEYS[3], KEYS[4], id, header, reason, lives, ARGV[7])
return { now, 'ended', reason }
