-- Keeps which address stands as a client's offer: the first proposal wins until it lapses
-- (docs/leases.md §4).
--
-- KEYS  1 offer (string)
-- ARGV  1 address, four bytes   2 how long it stands, ms
-- Result the address that stands

local standing = redis.call('GET', KEYS[1])
if standing then return standing end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
