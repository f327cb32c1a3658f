-- Keeps the names of one zone: which address a name has, until when, and the way back. A name that
-- a living lease of another client has is not taken over, unless by a reservation from none. Each
-- call takes away some of what has ended.
--
-- KEYS  1 names (hash name -> JSON of address, generation, key, reserved, until)
--       2 addresses (hash address -> name)   3 ends (sorted set name by until)   4 changes (stream)
-- ARGV  1 most entries of the stream   2 most names to take away for their end
--       then for each change 7: op (set, keep, remove), address, generation, and for the first two
--       until, key, and for set name, 1 when reserved; '' where there is none
-- Result { codes (a digit each: 0 done, 1 another client has the name, 2 nothing to do), ended }

local NO_END, KEPT_AFTER = 4294967295, 86400
local names, addresses, ends, stream = unpack(KEYS)
local now = tonumber(redis.call('TIME')[1])

local function tell(...)
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[1], '*', ...)
end

-- What no script wrote counts as none.
local function read(name)
  local text = redis.call('HGET', names, name)
  local ok, record = pcall(cjson.decode, text or '')
  if not ok or type(record) ~= 'table' or type(record['until']) ~= 'number' then return nil end
  return record
end

local function write(name, record)
  redis.call('HSET', names, name, cjson.encode(record))
  redis.call('ZADD', ends, record['until'], name)
  tell('name', name, 'address', record.address, 'until', string.format('%.0f', record['until']))
end

local function drop(name, address)
  redis.call('HDEL', names, name)
  redis.call('ZREM', ends, name)
  tell('name', name, 'address', address, 'gone', '1')
end

-- The address is not called so any more.
local function leave(address, name)
  redis.call('HDEL', addresses, address)
  local record = read(name)
  if record and record.address == address then drop(name, address) end
end

local ops = {}

function ops.set(change)
  local address, name = change.address, change.name
  local before = redis.call('HGET', addresses, address)
  local isNew = before ~= name
  if before and isNew then leave(address, before) end
  local held = read(name)
  if held and held.address ~= address then
    local lives = now <= held['until'] and held.key ~= change.key
    if lives and (held.reserved or not change.reserved) then return 1 end
    if redis.call('HGET', addresses, held.address) == name then
      redis.call('HDEL', addresses, held.address)
    end
  end
  if isNew then redis.call('HSET', addresses, address, name) end
  write(name, {
    address = address, generation = change.generation, key = change.key,
    reserved = change.reserved, ['until'] = change['until'],
  })
  return 0
end

function ops.keep(change)
  local name = redis.call('HGET', addresses, change.address)
  local record = name and read(name)
  if not record or record.address ~= change.address then return 2 end
  if record.key ~= change.key then
    leave(change.address, name)
  else
    record['until'], record.generation = change['until'], change.generation
    write(name, record)
  end
  return 0
end

function ops.remove(change)
  local name = redis.call('HGET', addresses, change.address)
  if not name then return 2 end
  local record = read(name)
  if record and record.address == change.address and record.generation >= change.generation then
    return 2
  end
  leave(change.address, name)
  return 0
end

local codes = {}
for i = 3, #ARGV, 7 do
  local change = {
    address = ARGV[i + 1], generation = tonumber(ARGV[i + 2]), ['until'] = tonumber(ARGV[i + 3]),
    key = ARGV[i + 4], name = ARGV[i + 5], reserved = ARGV[i + 6] == '1',
  }
  codes[#codes + 1] = ops[ARGV[i]](change)
end

local ended = redis.call('ZRANGEBYSCORE', ends, '-inf', '(' .. now, 'LIMIT', 0, ARGV[2])
for _, name in ipairs(ended) do
  local record = read(name)
  local address = record and record.address or ''
  if redis.call('HGET', addresses, address) == name then
    redis.call('HDEL', addresses, address)
  end
  drop(name, address)
end

-- A zone that nobody serves any more goes away by itself.
local last = tonumber(redis.call('ZREVRANGE', ends, 0, 0, 'WITHSCORES')[2] or now)
for _, key in ipairs(KEYS) do
  if last >= NO_END then
    redis.call('PERSIST', key)
  else
    redis.call('EXPIREAT', key, math.max(last, now) + KEPT_AFTER)
  end
end

return { table.concat(codes), #ended }
