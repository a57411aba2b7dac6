-- Counts one call by the generic cell rate algorithm: each call fills the bucket by one interval,
-- and the bucket drains over time. A call that would overflow the bucket is refused and fills
-- nothing.
-- KEYS[1]: the time at which the bucket is empty, in µs. ARGV: the interval in µs, the capacity in
-- intervals.
-- Returns the remaining calls, the time until the bucket is empty in µs, and the time until a
-- refused call may be retried in µs.
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
