-- Forgets a member that leaves by itself.
--
-- KEYS  1 seen (sorted set)  2 nodes (hash)
-- ARGV  1 node
-- Result 1: was there, 0: was not

redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
