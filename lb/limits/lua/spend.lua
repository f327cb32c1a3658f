-- Adds what was spent to buckets (GCRA: how far ahead of now a bucket is paid), by this clock.
--
-- KEYS  one a bucket: string, ms since the epoch until which it is paid
-- ARGV  one a key: ms that were spent
-- Result { ms ahead of now, ... } in the order of the keys, rounded up

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local result = {}
for i, key in ipairs(KEYS) do
  local paid = tonumber(redis.call('GET', key) or '') or now
  if paid < now then paid = now end
  paid = paid + (tonumber(ARGV[i]) or 0)
  local ahead = math.ceil(paid - now)
  redis.call('SET', key, string.format('%.3f', paid), 'PX', math.max(1, ahead))
  result[i] = ahead
end
return result
