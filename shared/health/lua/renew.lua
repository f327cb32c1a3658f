-- Renews a prober's lease and lists all of them; forgets those unseen for a day. What no script of
-- ours wrote counts as a lease that ended long ago.
--
-- KEYS  1 probers (hash node -> "renewed generation", ms since the epoch by this clock)
--       2 votes of this prober (hash)
-- ARGV  1 node  2 '1' to renew, '' only to list  3 ms after which a prober is forgotten
-- Result { now, node, age in ms, generation, node, age in ms, generation, ... }

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, forgottenMs = ARGV[1], tonumber(ARGV[3])

local MOST_DIGITS = 15
local function lease(text)
  local renewed, generation = string.match(text or '', '^(%d+) (%d+)$')
  if not renewed or math.max(#renewed, #generation) > MOST_DIGITS then return 0, '0' end
  return tonumber(renewed), generation
end

if ARGV[2] == '1' then
  local _, generation = lease(redis.call('HGET', KEYS[1], node))
  redis.call('HSET', KEYS[1], node, string.format('%.0f %s', now, generation))
  redis.call('PEXPIRE', KEYS[1], forgottenMs)
  redis.call('PEXPIRE', KEYS[2], forgottenMs)
end

local result = { string.format('%.0f', now) }
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local renewed, generation = lease(all[i + 1])
  local age = now - renewed
  if age < 0 then
    -- This clock went back: who is dead must not live until it gets there again.
    redis.call('HSET', KEYS[1], all[i], string.format('%.0f %s', now, generation))
    age = 0
  end
  if age > forgottenMs then
    redis.call('HDEL', KEYS[1], all[i])
  else
    result[#result + 1] = all[i]
    result[#result + 1] = string.format('%.0f', age)
    result[#result + 1] = generation
  end
end
return result
