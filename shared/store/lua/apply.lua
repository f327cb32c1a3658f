-- Applies a batch of changes to one unit, all or nothing: objects, version, digest, change stream.
-- What is already true changes nothing, so that repeating a call is harmless.
--
-- KEYS  1 head (hash)  2 objects (hash)  3 changes (stream)
-- ARGV  1 expected version, '' for any   2 author, may be ''   3 most entries in the stream
--       4 most changes in the stream
--       then pairs, each field once: field `kind:id`, value ('' deletes)
-- Result { version, changed };  { -1, version } another version;  { -2, n } more than 1000 changes
--
-- A stream entry: v version, p id of the entry before, b and d digest before and after, n number
-- of objects, a author, s changes streamed so far; and the changes as they came. Later versions may
-- add names without a colon, which readers ignore.

local MOST_CHANGES = 1000
local MOST_DROPPED = 8
local HALF = 16777216 -- 2^24: the digest's 48 bits are kept as two halves, exact in doubles

local head, objects, stream = KEYS[1], KEYS[2], KEYS[3]
local first = 5
local asked = (#ARGV - first + 1) / 2
if asked > MOST_CHANGES then return { -2, asked } end

local state = redis.call('HMGET', head, 'version', 'digest', 'count', 'tail', 'streamed')
local version = tonumber(state[1] or '0')
local before = state[2] or '000000000000'
local count = tonumber(state[3] or '0')
local tail = state[4] or '0-0'
local streamed = tonumber(state[5] or '0')
if ARGV[1] ~= '' and tonumber(ARGV[1]) ~= version then return { -1, version } end
if asked == 0 then return { version, 0 } end

local high = tonumber(string.sub(before, 1, 6), 16)
local low = tonumber(string.sub(before, 7, 12), 16)

local function add(field, value, sign)
  local colon = string.find(field, ':', 1, true)
  local object = string.sub(field, 1, colon - 1) .. '\0' .. string.sub(field, colon + 1)
  local sum = redis.sha1hex(object .. '\0' .. value)
  high = high + sign * tonumber(string.sub(sum, 1, 6), 16)
  low = low + sign * tonumber(string.sub(sum, 7, 12), 16)
end

local fields = {}
for i = first, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
local stored = redis.call('HMGET', objects, unpack(fields))

local set, deleted, made = {}, {}, {}
for i, field in ipairs(fields) do
  local value = ARGV[first + i * 2 - 1]
  local old = stored[i] or ''
  if value ~= old then
    if old ~= '' then add(field, old, -1) else count = count + 1 end
    if value ~= '' then
      add(field, value, 1)
      set[#set + 1] = field
      set[#set + 1] = value
    else
      count = count - 1
      deleted[#deleted + 1] = field
    end
    made[#made + 1] = field
    made[#made + 1] = value
  end
end
if #made == 0 then return { version, 0 } end
if #set > 0 then redis.call('HSET', objects, unpack(set)) end
if #deleted > 0 then redis.call('HDEL', objects, unpack(deleted)) end

high = (high + math.floor(low / HALF)) % HALF
low = low % HALF
local digest = string.format('%06x%06x', high, low)
version = version + 1
local changed = #made / 2
streamed = streamed + changed

tail = redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], '*', 'v', version, 'p', tail,
  'b', before, 'd', digest, 'n', count, 'a', ARGV[2], 's', streamed, unpack(made))

local now = redis.call('TIME')
redis.call('HSET', head, 'version', version, 'digest', digest, 'count', count, 'tail', tail,
  'streamed', streamed, 'author', ARGV[2], 'atMs', now[1] .. string.sub('00000' .. now[2], -6, -4))

-- Entries may be big: the oldest go while the later ones hold enough changes.
local most = tonumber(ARGV[4])
local function streamedBy(entry)
  for i = 1, #entry, 2 do
    if entry[i] == 's' then return tonumber(entry[i + 1]) end
  end
  return streamed
end
if changed > 10 and streamed > most then
  for _ = 1, MOST_DROPPED do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if streamed - streamedBy(oldest[2]) < most then break end
    redis.call('XDEL', stream, oldest[1])
  end
end

return { version, changed }
