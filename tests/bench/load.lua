-- What wrk does: asks for the paths of a file in turn, or posts a body in which a mark is a new word each time,
-- and counts every answer that is neither 2xx nor 304.
-- Arguments: method, file of paths, file of the body or "-", mark, a word that no other run has.

local threads = {}

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
    local turn = 0
    if body == "-" then
        local asked = {}
        for place, path in ipairs(paths) do
            asked[place] = wrk.format(method, path)
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
