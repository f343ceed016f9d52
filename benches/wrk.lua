-- POSTs of JSON from a file, always the same bytes: wrk -s wrk.lua URL -- FILE [REQUESTS IN FLIGHT PER CONNECTION].

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*a")
   wrk.headers["content-type"] = "application/json"
   file:close()
   local depth = tonumber(arguments[2] or 1)
   if depth > 1 then
      -- A global of this name makes wrk call it per batch; without it no Lua runs between the calls.
      local batch = string.rep(wrk.format(), depth)
      request = function() return batch end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("summary: %d calls, %d us, %d bytes, %d refused, %d broken\n",
      summary.requests, summary.duration, summary.bytes, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
