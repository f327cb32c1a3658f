-- Writes votes of one prober, renews its lease, and tells all. An attempt may be made again: what
-- it says are whole votes, and a later attempt that ran keeps an earlier one out.
--
-- KEYS  1 probers (hash node -> "renewed generation")  2 votes of this prober (hash)
--       3 changes (stream)
-- ARGV  1 node  2 base: the generation that this follows, '' when it takes the place of everything
--       3 its own generation  4 most entries of the stream  5 ms after which a prober is forgotten
--       6 the changes, as the stream's readers get them; '' when they have to read all votes
--       then for each vote 2: target id, text ('' takes it away)
-- Result { 1 when done (0: the generation in force is none to follow), generation in force }

local MOST_REMOVED = 1000
local probers, votes, changes = unpack(KEYS)
local node, base, generation = ARGV[1], ARGV[2], ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local found = string.match(redis.call('HGET', probers, node) or '', '^%d+ (%d+)$') or '0'
if #found > 15 then found = '0' end -- none of ours: nobody could write one above it
local held, own = tonumber(found), tonumber(generation)
if held >= own or (base ~= '' and held < tonumber(base)) then return { 0, found } end

if base == '' then redis.call('DEL', votes) end
local removed = {}
for i = 7, #ARGV, 2 do
  if ARGV[i + 1] ~= '' then
    redis.call('HSET', votes, ARGV[i], ARGV[i + 1])
  else
    removed[#removed + 1] = ARGV[i]
  end
  if #removed >= MOST_REMOVED then
    redis.call('HDEL', votes, unpack(removed))
    removed = {}
  end
end
if #removed > 0 then redis.call('HDEL', votes, unpack(removed)) end

redis.call('HSET', probers, node, string.format('%.0f %s', now, generation))
for _, key in ipairs({ probers, votes }) do redis.call('PEXPIRE', key, ARGV[5]) end
redis.call('XADD', changes, 'MAXLEN', '~', ARGV[4], '*',
  'node', node, 'from', found, 'generation', generation, 'changes', ARGV[6])
redis.call('PEXPIRE', changes, ARGV[5])
return { 1, generation }
