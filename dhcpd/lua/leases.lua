-- Runs items on lease records: docs/leases.md §3 and §4 are what this does, byte by byte.
--
-- KEYS  for each block: its string, its detail hash; last, when their number is odd, the log
-- ARGV  1 lineage, 16 bytes   2 for each block 4 bytes: 1 when it is known to exist, 3 octets
--       3 most entries of the log   4 instance, as text for the log
--       5 items: block u16 (from 0), octet u8, op u8, flags u8 (1 offered, 2 force,
--       4 planned), count u16 (so many addresses in a row), seconds u32, lengths of details and
--       event u16, record (64 bytes), details (JSON), event (JSON, in which a byte 0 stands for
--       toldUntil); big endian
-- Result { now, codes (a byte each), records (64 bytes each) }, or, nothing written,
--        { 'FENCED', now, lineage of the block, block from 0 }

local NO_END = 4294967295
local RECORD = '>BBBBI4I4I4I4I4c8c20I4I8'
local HEADER = '>c16I8I4I4I8'
local HEADER_BYTES, RECORD_BYTES, LAST_BYTE, LAYOUT = 64, 64, 64 * 257 - 1, 1
local NO_KEY = string.rep('\0', 20)
local ZERO_RECORD = string.rep('\0', RECORD_BYTES)
local BOUND, FREE, RESERVED, DECLINED = 1, 2, 3, 4
local DONE, TAKEN, QUARANTINE, OTHERS, IS_DECLINED, STALE, NOTHING = 0, 1, 2, 3, 4, 5, 6

local call, unpackBytes, sub, char = redis.call, struct.unpack, string.sub, string.char
local lineage, known = ARGV[1], ARGV[2]
local log = #KEYS % 2 == 1 and KEYS[#KEYS]
local now = tonumber(redis.call('TIME')[1])

local function later(seconds)
  if seconds == NO_END then return NO_END end
  return math.min(now + seconds, NO_END)
end

local blocks = {}
for i = 1, math.floor(#KEYS / 2) do
  local key = KEYS[2 * i - 1]
  local block = { key = key, details = KEYS[2 * i], prefix = string.sub(known, 4 * i - 2, 4 * i) }
  local header = redis.call('GETRANGE', key, 0, 39)
  if #header >= 40 then
    local of, version, quarantine, _, adopted = struct.unpack(HEADER, header)
    if of ~= lineage then return { 'FENCED', now, of, i - 1 } end
    block.version, block.adopted, block.quarantined = version, adopted, now <= quarantine
    block.quarantine = quarantine
  elseif string.byte(known, 4 * i - 3) == 1 then
    return { 'FENCED', now, '', i - 1 }
  else
    block.version, block.adopted, block.quarantined, block.isNew = 0, 0, false, true
    block.quarantine = 0
  end
  blocks[i] = block
end

-- One constructor each: a table that grows field by field is copied four times.
local function parse(bytes, at)
  local state, flags, htype, hlen, generation, hold, told, boundAt, instance, chaddr, key, lease,
    version = unpackBytes(RECORD, bytes, at)
  return {
    state = state, flags = flags, htype = htype, hlen = hlen, generation = generation,
    hold = hold, told = told, boundAt = boundAt, instance = instance, chaddr = chaddr, key = key,
    lease = lease, version = version,
  }
end

local function isLong(r) return r.flags % 4 >= 2 end
local function lapsed(r) return now > r.hold end
local function suspect(r, block) return block.quarantined and r.version <= block.adopted end

-- Whether nobody has x; else why not.
local function blocked(r, block)
  if not lapsed(r) then
    if r.state == RESERVED then return OTHERS end
    return r.state == DECLINED and IS_DECLINED or TAKEN
  end
  return block.quarantined and r.state ~= 0 and QUARANTINE or DONE
end

local function bindable(r, new, item, block)
  local same = r.key == new.key
  local doubted = block.quarantined and not item.planned
  if r.state == BOUND and same then
    return doubted and lapsed(r) and QUARANTINE or DONE
  elseif r.state == FREE and same then
    return doubted and QUARANTINE or DONE
  elseif r.state == RESERVED and not lapsed(r) then
    local own = r.instance == new.instance
    if not own and (not item.offered or isLong(r)) then return OTHERS end
    return suspect(r, block) and not (own and isLong(r)) and QUARANTINE or DONE
  end
  return blocked(r, block)
end

local ops = {}

ops[1] = function(r, new, item, block) -- bind
  local code = bindable(r, new, item, block)
  if code ~= DONE then return code end
  local hold = later(item.seconds)
  local sameKey = r.key == new.key
  if r.state == BOUND and sameKey then
    hold = math.max(hold, r.hold)
  else
    r.generation, r.boundAt = r.generation + 1, now
  end
  local hasDetails = r.flags % 2 == 1
  if hasDetails and not sameKey and item.details == '' then
    redis.call('HDEL', block.details, item.octet)
    hasDetails = false
  end
  r.state, r.flags, r.hold, r.told = BOUND, hasDetails and 1 or 0, hold, later(new.lease)
  r.htype, r.hlen, r.chaddr, r.key = new.htype, new.hlen, new.chaddr, new.key
  r.lease = new.lease
  return DONE
end

ops[2] = function(r, new, item, block) -- reserve
  local code
  if r.state == RESERVED and r.instance == new.instance and not lapsed(r) then
    code = suspect(r, block) and not isLong(r) and QUARANTINE or DONE
  else
    code = blocked(r, block)
  end
  if code ~= DONE then return code end
  r.state, r.hold, r.flags = RESERVED, later(item.seconds), r.flags % 2 + (isLong(new) and 2 or 0)
  return DONE
end

ops[3] = function(r, new, _, block) -- unreserve
  if r.state ~= RESERVED then return NOTHING end
  if r.instance ~= new.instance then return OTHERS end
  if suspect(r, block) then return QUARANTINE end
  if r.generation == 0 then return DONE, parse(ZERO_RECORD, 1) end
  r.state, r.hold, r.flags = FREE, math.min(now - 1, r.told), r.flags % 2
  return DONE
end

local function isStale(r, new) return r.key ~= new.key or r.generation ~= new.generation end

ops[4] = function(r, new, item) -- release
  if r.state ~= BOUND then return NOTHING end
  if isStale(r, new) then return STALE end
  r.state, r.generation, r.hold = FREE, r.generation + 1, math.min(r.hold, later(item.seconds))
  return DONE
end

ops[5] = function(r, new, item) -- decline
  if r.state == RESERVED then
    local mayBind = r.instance == new.instance or not isLong(r)
    if not item.offered or not mayBind then return OTHERS end
  elseif r.state ~= BOUND then
    return NOTHING
  elseif isStale(r, new) then
    return STALE
  end
  r.state, r.generation, r.hold, r.key = DECLINED, r.generation + 1, later(item.seconds), NO_KEY
  r.flags = r.flags % 2
  return DONE
end

ops[6] = function(r, new, item) -- free
  if r.state == 0 then return NOTHING end
  if r.generation ~= new.generation then return STALE end
  if r.state == RESERVED and not lapsed(r) and not item.force then return OTHERS end
  r.state, r.generation, r.flags = FREE, r.generation + 1, r.flags % 2
  r.hold = item.force and 0 or later(item.seconds)
  return DONE
end

ops[7] = function(r, new) -- teach
  if new.state == 0 or (new.state == RESERVED and not isLong(new)) then return NOTHING end
  local ahead = new.generation > r.generation
    or (new.generation == r.generation and new.key == r.key and new.hold > r.hold)
    or (new.state == BOUND and r.state == 0)
  if not ahead then return STALE end
  return DONE, new
end

local TEACH, UNRESERVE = 7, 3
local codes, records, logged, events = {}, {}, {}, {}

local function write(r, item, new, block)
  if r.generation > NO_END then r.generation = 1 end
  if item.op ~= TEACH and not (item.op == UNRESERVE and r.state == 0) then
    r.instance = new.instance
  end
  if item.details ~= '' and (item.op == 1 or item.op == TEACH) then
    redis.call('HSET', block.details, item.octet, item.details)
    r.flags = r.flags - r.flags % 2 + 1
  end
  if not block.next then
    block.next = block.version + 1
    if block.isNew then redis.call('SETRANGE', block.key, LAST_BYTE, '\0') end
  end
  local bytes = struct.pack(RECORD, r.state, r.flags, r.htype, r.hlen, r.generation, r.hold,
    r.told, r.boundAt, r.instance, r.chaddr, r.key, r.lease, block.next)
  call('SETRANGE', block.key, item.at, bytes)
  if log then
    logged[#logged + 1] = block.prefix
    logged[#logged + 1] = char(item.octet)
    logged[#logged + 1] = bytes
    local event = item.event
    if event ~= '' then
      local gap = string.find(event, '\0', 1, true)
      local told = string.format('%.0f', r.told)
      events[#events + 1] = sub(event, 1, gap - 1) .. told .. sub(event, gap + 1)
    end
  end
  return bytes
end

local items = ARGV[5]
local HEAD = '>I2BBBI2I4I2I2'
local HEAD_BYTES = 15

-- Addresses in a row that nobody ever had, reserved at once; false when there is more to it.
local function reserveRun(block, octet, count, seconds, record)
  local at = HEADER_BYTES + RECORD_BYTES * octet
  local old = call('GETRANGE', block.key, at, at + count * RECORD_BYTES - 1)
  if old ~= '' and old ~= string.rep(ZERO_RECORD, count) then return false end
  local new = parse(items, record)
  local r = parse(ZERO_RECORD, 1)
  local item = { op = 2, octet = octet, seconds = seconds, at = at, details = '', event = '' }
  if ops[2](r, new, item, block) ~= DONE then return false end
  local bytes = write(r, item, new, block)
  call('SETRANGE', block.key, at + RECORD_BYTES, string.rep(bytes, count - 1))
  if log then
    for i = 1, count - 1 do
      logged[#logged + 1] = block.prefix
      logged[#logged + 1] = char(octet + i)
      logged[#logged + 1] = bytes
    end
  end
  codes[#codes + 1] = string.rep(char(DONE), count)
  records[#records + 1] = string.rep(bytes, count)
  return true
end

local function run(block, octet, op, flags, seconds, record, details, event)
  local at = HEADER_BYTES + RECORD_BYTES * octet
  local item = {
    octet = octet, op = op, seconds = seconds, at = at,
    offered = flags % 2 == 1, force = flags % 4 >= 2, planned = flags % 8 >= 4,
    details = details, event = event,
  }
  local bytes = call('GETRANGE', block.key, at, at + RECORD_BYTES - 1)
  if #bytes < RECORD_BYTES then bytes = bytes .. sub(ZERO_RECORD, #bytes + 1) end
  local old, new = parse(bytes, 1), parse(items, record)
  local code, instead = ops[op](old, new, item, block)
  if code == DONE then bytes = write(instead or old, item, new, block) end
  codes[#codes + 1] = char(code)
  records[#records + 1] = bytes
end

local position = 1
while position <= #items do
  local index, octet, op, flags, count, seconds, detailsBytes, eventBytes =
    unpackBytes(HEAD, items, position)
  local block = blocks[index + 1]
  local record = position + HEAD_BYTES
  local text = record + RECORD_BYTES
  position = text + detailsBytes + eventBytes
  if count == 1 or not reserveRun(block, octet, count, seconds, record) then
    local details = detailsBytes == 0 and '' or sub(items, text, text + detailsBytes - 1)
    local event = eventBytes == 0 and '' or sub(items, text + detailsBytes, position - 1)
    for i = 0, count - 1 do
      run(block, octet + i, op, flags, seconds, record, details, event)
    end
  end
end

for _, block in ipairs(blocks) do
  if block.next then
    local header = struct.pack(HEADER, lineage, block.next, block.quarantine, LAYOUT,
      block.adopted)
    redis.call('SETRANGE', block.key, 0, header)
  end
end

if #logged > 0 then
  local fields = { 'i', ARGV[4], 'r', table.concat(logged) }
  if #events > 0 then
    fields[5], fields[6] = 'e', '[' .. table.concat(events, ',') .. ']'
  end
  redis.call('XADD', log, 'MAXLEN', '~', ARGV[3], '*', unpack(fields))
end

return { now, table.concat(codes), table.concat(records) }
