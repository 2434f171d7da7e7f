-- The ledger's "no" as a tombstone, where nothing stands. KEYS: record. ARGV: tombstone ms, reason
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], '', struct.pack('>BBI8', TOMBSTONE, tonumber(ARGV[2]), now))
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return { now }
