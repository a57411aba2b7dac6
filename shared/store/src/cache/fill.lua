-- Fills an entry if it has not changed since the reader looked it up, and if the lookup is recent.
-- KEYS[1]: the name of the entry. ARGV: the value found ('' if none), the time of the lookup in µs,
-- the new value, its lifetime in s, the maximum age of the lookup in µs.
local time = redis.call('TIME')
if time[1] * 1000000 + time[2] - ARGV[2] > tonumber(ARGV[5]) then
  return 0
end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], time[1] .. ' ' .. ARGV[3], 'EX', ARGV[4])
return 1
