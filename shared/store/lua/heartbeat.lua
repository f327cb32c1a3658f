-- Notes that a member is alive and what it says of itself; prunes members unseen for a day.
--
-- KEYS  1 seen (sorted set)  2 nodes (hash)
-- ARGV  1 node  2 the Member as JSON
-- Result { }

local DAY_MS = 86400000
local MOST_PRUNED = 100

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZADD', KEYS[1], string.format('%.0f', nowMs), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])

local cutoff = string.format('(%.0f', nowMs - DAY_MS)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', cutoff, 'LIMIT', 0, MOST_PRUNED)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
return {}
