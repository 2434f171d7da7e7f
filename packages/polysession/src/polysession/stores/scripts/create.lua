-- The first write of a session; no other script makes a record.
-- KEYS: record, expiry, principals, outbox[, generation, then the record of each name].
-- ARGV: session ID, unreturned ms, tombstone ms, header, limit (0: none), '1' to refuse above it, how many names;
-- then the names, sessions that an earlier reply said the principal has; then name, attribute, …
local id, unreturned, lives, header = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local limit, refuse, names = tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[7])
local expiry, principals, outbox, raised = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local key, given = principal_key(header), generation_of(header)

local old = redis.call('HGET', KEYS[1], '')
local repeated = old and kind(old) == RECORD and secret_hash(old) == secret_hash(header)
if old and not repeated then
  return { now, 'exists' }
end

if raised and not repeated then
  local generation = tonumber(redis.call('GET', raised) or 0)
  if given < generation then
    return { now, 'outdated', generation }
  end
  -- It was raised, and the end of the older sessions never came here: they end first. None of these has the new one.
  if given > generation then
    local older = session_ids(principals, key)
    if #older > 0 then
      return { now, 'older', older }
    end
  end
end

-- The principal's sessions that are named, still its own and live; and how many it may have in all.
local function named()
  local ids = session_ids(principals, key)
  local live, count, own = {}, #ids, {}
  for _, one in ipairs(ids) do
    own[one] = true
  end
  for i = 1, names do
    local one, record = ARGV[7 + i], KEYS[5 + i]
    if own[one] then
      local found = redis.call('HGET', record, '')
      if not found or kind(found) ~= RECORD or principal_key(found) ~= key then
        leave(expiry, principals, one, key)
        count = count - 1
      elseif expires_at(found, unreturned) <= now then
        count = count - 1
      else
        live[#live + 1] = { one, record, found, number(found, 27, 6) }
      end
    end
  end
  return live, count
end

local replaced = {}
if raised and not repeated and limit > 0 then
  local live, count = named()
  local excess = count - limit + 1
  if excess > 0 then
    -- What came since that reply is newer than all that it named: enough names suffice, unless to refuse.
    if #live < (refuse and count or excess) then
      return { now, 'unnamed', session_ids(principals, key) }
    end
    if refuse then
      return { now, 'full' }
    end
    table.sort(live, function(a, b) return a[4] < b[4] or (a[4] == b[4] and a[1] < b[1]) end)
    for i = 1, excess do
      local one = live[i]
      bury(one[2], expiry, principals, outbox, one[1], one[3], REPLACED, lives)
      replaced[2 * i - 1], replaced[2 * i] = one[1], REPLACED
    end
  end
end

local found = due(expiry) -- before this session enters: a first write does not end itself
if repeated then
  header = old -- touched or rotated since, perhaps
else
  local fields = { '', header }
  for i = 8 + names, #ARGV do
    fields[#fields + 1] = ARGV[i]
  end
  redis.call('HSET', KEYS[1], unpack(fields))
end
enter(KEYS[1], expiry, id, header, unreturned)
if raised then
  local gone = math.max(number(header, 39, 6), now) + RETENTION -- touches may keep the record until then
  join(principals, id, key)
  extend(principals, gone)
  local generation = math.max(tonumber(redis.call('GET', raised) or 0), generation_of(header))
  if generation > 0 then
    redis.call('SET', raised, generation, 'KEEPTTL')
    extend(raised, gone)
  end
end
return { now, 'created', found, replaced }
