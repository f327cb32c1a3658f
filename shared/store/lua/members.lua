-- Lists the members seen within a day, at most 1000, the latest first.
--
-- KEYS  1 seen (sorted set)  2 nodes (hash)
-- ARGV  none
-- Result { json, age in milliseconds, json, age, ... }

local DAY_MS = 86400000
local MOST_MEMBERS = 1000

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local cutoff = string.format('%.0f', nowMs - DAY_MS)

local seen = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', cutoff, 'WITHSCORES',
  'LIMIT', 0, MOST_MEMBERS)
local result = {}
for i = 1, #seen, 2 do
  local json = redis.call('HGET', KEYS[2], seen[i])
  if json then
    result[#result + 1] = json
    result[#result + 1] = nowMs - tonumber(seen[i + 1])
  end
end
return result
