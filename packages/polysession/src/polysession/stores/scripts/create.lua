-- The first write of a session; no other script makes a record.
-- KEYS: record, expiry[, principal]. ARGV: session ID, unreturned ms, header, then name, attribute, …
local id, unreturned, header = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local old = redis.call('HGET', KEYS[1], '')
local repeated = old and kind(old) == RECORD and secret_hash(old) == secret_hash(header)
if old and not repeated then
  return { now, 'exists' }
end

if KEYS[3] and not repeated then
  local generation = tonumber(redis.call('HGET', KEYS[3], '') or 0)
  local given = number(header, 53, 4)
  if given < generation then
    return { now, 'outdated', generation }
  end
  -- It was raised, and the end of the older sessions never came here: they end first. None of these has the new one.
  if given > generation then
    local older = session_ids(KEYS[3])
    if #older > 0 then
      return { now, 'older', older }
    end
  end
end

local found = due(KEYS[2]) -- before this session enters: a first write does not end itself
if repeated then
  header = old -- touched or rotated since, perhaps
else
  local fields = { '', header }
  for i = 4, #ARGV do
    fields[#fields + 1] = ARGV[i]
  end
  redis.call('HSET', KEYS[1], unpack(fields))
end
enter(KEYS[1], KEYS[2], id, header, unreturned)
if KEYS[3] then
  local generation = math.max(tonumber(redis.call('HGET', KEYS[3], '') or 0), number(header, 53, 4))
  redis.call('HSET', KEYS[3], '', generation, id, '')
  extend(KEYS[3], math.max(number(header, 45, 8), now) + RETENTION) -- touches may keep the record until then
end
return { now, 'created', found }
