-- All votes of one prober, and the generation that they are.
--
-- KEYS  1 probers (hash node -> "renewed generation")  2 votes of this prober (hash)
-- ARGV  1 node
-- Result { generation, target id, text, target id, text, ... }

local result = redis.call('HGETALL', KEYS[2])
local lease = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local generation = string.match(lease, '^%d+ (%d+)$') or '0'
if #generation > 15 then generation = '0' end -- none of ours
table.insert(result, 1, generation)
return result
