-- What wrk does: asks for the paths of a file in turn, or posts a body in which a mark is a new word each time,
-- and counts every answer that is neither 2xx nor 304. After a tab, a path has a header line of its own.
-- Arguments: method, file of paths, file of the body or "-", mark, a word that no other run has, requests a second or 0.

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int clock, moment *at);")
local threads, moment, MONOTONIC = {}, ffi.new("moment"), 1

local function milliseconds()
    ffi.C.clock_gettime(MONOTONIC, moment)
    return tonumber(moment.seconds) * 1e3 + tonumber(moment.nanoseconds) / 1e6
end

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    bad, sample = {}, ""
    local method, body, run = args[1], args[3], args[5]
    local paths = {}
    for path in io.lines(args[2]) do
        table.insert(paths, path)
    end
    local turn, pace = 0, tonumber(args[6])
    if pace > 0 then
        -- Requests leave at fixed times, however long the answers take: wrk asks before each how long to wait.
        local due = milliseconds()
        delay = function()
            due = math.max(due + 1e3 / pace, milliseconds() - 1e3)
            return math.max(0, math.floor(due - milliseconds()))
        end
    end
    if body == "-" then
        local asked = {}
        for place, path in ipairs(paths) do
            local address, name, value = path:match("^([^\t]+)\t([^:]+): (.+)$")
            asked[place] = wrk.format(method, address or path, name and { [name] = value } or nil)
        end
        request = function()
            turn = turn % #asked + 1
            return asked[turn]
        end
        return
    end
    local file = assert(io.open(body, "r"))
    local text = file:read("*a")
    file:close()
    request = function()
        turn = turn + 1
        local unique = text:gsub(args[4], run .. turn)
        return wrk.format(method, paths[1], nil, unique)
    end
end

function response(status, headers, body)
    if (status < 200 or status > 299) and status ~= 304 then
        local name = tostring(status)
        bad[name] = (bad[name] or 0) + 1
        if sample == "" then
            sample = body:sub(1, 400)
        end
    end
end

function done(summary, latency, requests)
    local wrong, first = {}, ""
    for _, thread in ipairs(threads) do
        for status, count in pairs(thread:get("bad")) do
            table.insert(wrong, string.format("%s x%d", status, count))
        end
        first = first .. thread:get("sample")
    end
    local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    local figures = "\nfigures %d %d %d %d %d\n"
    io.write(string.format(figures, summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), lost))
    if #wrong > 0 then
        io.write("bad ", table.concat(wrong, ", "), ": ", first:gsub("%s+", " "), "\n")
    end
end
