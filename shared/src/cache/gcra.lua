-- One call, by the generic cell rate algorithm: each call fills the bucket by one interval, and it
-- empties as time goes by. A call that would make it run over is refused and fills nothing.
-- KEYS[1]: when it is empty, in µs. ARGV: the interval in µs, how many of them it holds.
-- Answers how many are left, in how many µs it is empty, in how many µs a refused call may come again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local empty = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local over = empty - now - interval * ARGV[2]
if over > 0 then
  return { 0, empty - interval - now, over }
end
redis.call('SET', KEYS[1], string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000))
return { math.floor(-over / interval), empty - now, 0 }
