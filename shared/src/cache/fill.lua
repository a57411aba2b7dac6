-- Fills a place if it still is as the reader found it, and that is not too long ago.
-- KEYS[1]: the place. ARGV: what was found ('' for nothing), when in µs, what to fill in, for how many s,
-- how many µs are too long.
local time = redis.call('TIME')
if time[1] * 1000000 + time[2] - ARGV[2] > tonumber(ARGV[5]) then
  return 0
end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], time[1] .. ' ' .. ARGV[3], 'EX', ARGV[4])
return 1
