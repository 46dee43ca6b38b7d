-- wrk's script. Arguments: the file of prepared requests, the first 24 characters of every delivery id, the seconds to
-- send for. After that time no request begins, so that wrk ends with every request answered and counts can be exact.
local ffi = require('ffi')
ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]])

local CLOCK_MONOTONIC = 1
local moment = ffi.new('moment')
local heads, tails = {}, {}
local idPrefix, sendMs, deadline
local calls = 0

-- Global, because `done` reads them from the thread. Times are milliseconds.
sent, startedAt, endedAt = 0, 0, 0

local function milliseconds()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, moment)
  return tonumber(moment.seconds) * 1e3 + tonumber(moment.nanoseconds) / 1e6
end

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  while true do
    local headLength, tailLength = file:read('*n', '*n')
    if not headLength then break end
    file:read(1)
    heads[#heads + 1] = file:read(headLength)
    tails[#tails + 1] = file:read(tailLength)
  end
  file:close()
  idPrefix = args[2]
  sendMs = tonumber(args[3]) * 1e3
end

function request()
  calls = calls + 1
  local index = calls % #heads + 1
  local text = heads[index] .. idPrefix .. string.format('%012x', calls) .. tails[index]
  -- wrk asks once before it starts, to see how many requests the text holds.
  if calls == 1 then return text end
  endedAt = milliseconds()
  if calls == 2 then
    startedAt = endedAt
    deadline = startedAt + sendMs
  end
  -- Nothing to write leaves the connection open and idle.
  if endedAt >= deadline then return '' end
  sent = sent + 1
  return text
end

function done(summary, latency)
  local thread = threads[1]
  local errors = summary.errors
  local figures = {
    sent = thread:get('sent'),
    completed = summary.requests,
    elapsedMs = thread:get('endedAt') - thread:get('startedAt'),
    p50Us = latency:percentile(50),
    p99Us = latency:percentile(99),
    refused = errors.status,
    socketErrors = errors.connect + errors.read + errors.write,
    timeouts = errors.timeout,
  }
  local fields = {}
  for name, value in pairs(figures) do
    fields[#fields + 1] = string.format('"%s":%.3f', name, value)
  end
  io.write('\nFIGURES {', table.concat(fields, ','), '}\n')
end
