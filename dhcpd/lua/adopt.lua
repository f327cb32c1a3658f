-- Takes blocks of another lineage over, or lengthens their quarantine when both are the same
-- (docs/leases.md §7). A block that has yet another lineage is left as it is.
--
-- KEYS  block strings
-- ARGV  1 lineage they have, '' for blocks that do not exist   2 lineage they get, 16 bytes
--       3 quarantine in seconds from now
-- Result { now, how many }

local HEADER = '>c16I8I4I4I8'
local LAST_BYTE, LAYOUT, NO_END = 64 * 257 - 1, 1, 4294967295

local from, to = ARGV[1], ARGV[2]
local now = tonumber(redis.call('TIME')[1])
local untilThen = math.min(now + tonumber(ARGV[3]), NO_END)
local adopted = 0

for _, key in ipairs(KEYS) do
  local header = redis.call('GETRANGE', key, 0, 39)
  local of, version, quarantine, _, since = '', 0, 0, 0, 0
  if #header >= 40 then of, version, quarantine, _, since = struct.unpack(HEADER, header) end
  if string.byte(of) == 0 then of = '' end -- none that was ever made
  if of == from and not (from == to and untilThen <= quarantine) then
    if of == '' then redis.call('SETRANGE', key, LAST_BYTE, '\0') end
    version = version + 1
    if from ~= to then since = version end
    quarantine = math.max(quarantine, untilThen)
    redis.call('SETRANGE', key, 0, struct.pack(HEADER, to, version, quarantine, LAYOUT, since))
    adopted = adopted + 1
  end
end
return { now, adopted }
