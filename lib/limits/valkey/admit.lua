-- Decides on one request: at most `limit` are admitted in any window, by this server's own clock.
-- A rejected request leaves nothing behind.
--
-- KEYS[1]  the log of one client: the times of its admissions in microseconds, oldest first
-- ARGV     the limit, and the window in milliseconds
-- Gives    whether it is admitted (1 or 0), how many remain, in how many microseconds one would be
--          admitted, in how many the oldest leaves the window, and the time of the admission

local log = KEYS[1]
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2])

local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local stamp = string.format("%.0f", now) -- by itself Lua writes such a number with an exponent
local horizon = now - window * 1000

local function at(place)
  return tonumber(redis.call("LINDEX", log, place))
end

local size = redis.call("LLEN", log)

-- When the clock was set back, what seems to be still to come counts from now: for a window at most.
for place = size - 1, 0, -1 do
  if at(place) <= now then break end
  redis.call("LSET", log, place, stamp)
end

-- What has left the window is found by halving: a hundred thousand may leave at once.
local low, high = 0, size
while low < high do
  local middle = math.floor((low + high) / 2)
  if at(middle) <= horizon then low = middle + 1 else high = middle end
end
if low > 0 then
  redis.call("LTRIM", log, low, -1)
  size = size - low
end

local admitted = 0
if size < limit then
  admitted = 1
  size = redis.call("RPUSH", log, stamp)
  -- A key ends at a whole millisecond, which may lie before the microsecond that is meant.
  redis.call("PEXPIRE", log, window + 1)
end

-- Servers that are being given another limit may have admitted more than this one would.
local remaining = math.max(limit - size, 0)
local retry = 0
if remaining == 0 then retry = at(size - limit) - horizon end
return { admitted, remaining, retry, at(0) - horizon, stamp }
