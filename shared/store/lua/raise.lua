-- Raises the version of one unit and changes no object: followers that hold more than a store which
-- was wiped, or went back in time, shall take it as it is. An entry without changes wakes them.
--
-- KEYS  1 head (hash)  2 changes (stream)
-- ARGV  1 expected version   2 the version to raise to   3 author, may be ''
--       4 most entries in the stream
-- Result { version };  { -1, version } another version than expected

local head, stream = KEYS[1], KEYS[2]
local state = redis.call('HMGET', head, 'version', 'digest', 'count', 'tail', 'streamed')
local version = tonumber(state[1] or '0')
local digest = state[2] or '000000000000'
local count = state[3] or '0'
local streamed = state[5] or '0'
if tonumber(ARGV[1]) ~= version then return { -1, version } end
if tonumber(ARGV[2]) <= version then return { version } end

version = tonumber(ARGV[2])
local tail = redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'v', version,
  'p', state[4] or '0-0', 'b', digest, 'd', digest, 'n', count, 'a', ARGV[3], 's', streamed)
local now = redis.call('TIME')
redis.call('HSET', head, 'version', version, 'digest', digest, 'count', count, 'tail', tail,
  'streamed', streamed, 'author', ARGV[3], 'atMs', now[1] .. string.sub('00000' .. now[2], -6, -4))
return { version }
