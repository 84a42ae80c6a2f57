-- What happens to every record before anything else reads it: the pieces of a line become one again, and what is
-- secret is cut out of the text, which is not parsed yet: so nothing depends on where in a line a secret is. Then a long line is
-- cut into parts that CloudWatch takes.
--
-- Comments are lines of their own, and a statement does not depend on the end of its line: the file is shipped as one
-- line (see tools/fluentbit).

local mark = "[redacted]"

-- CloudWatch takes events of 1 MB, and Fluent Bit drops or cuts longer ones. A byte of text takes at most seven of
-- them, and names of the pod come on top.
local longest = 131072

local function any_case(word)
  return (word:gsub("%a", function(c) return "[" .. c:upper() .. c:lower() .. "]" end))
end

-- Names of metrics and the like begin as keys do, but end sooner.
local function at_least(length)
  return function(word)
    if #word >= length then return mark end
    return word
  end
end

-- Between a name and its value in URLs, headers, JSON, and JSON in JSON.
local separator = "[\"'\\]*%s*[:=][\"'\\%s%[]*"
local value = "[^%s\"'\\&,%[%]{}]+"

-- A number after a name in JSON gets quotes, so that the line stays JSON.
local function named(name, found)
  if found == "null" or found == "true" or found == "false" then return name .. found end
  local quote = name:match("(\\*\")%s*:%s*$") or ""
  return name .. quote .. mark .. quote
end

-- Up to the last @, which may be in the password; without one, as where a text was cut, all after the user.
local function address(scheme, rest)
  local colon = rest:find(":", 1, true)
  if not colon then return scheme .. rest end
  local at = rest:match(".*()@")
  if at and at > colon then return scheme .. rest:sub(1, colon) .. mark .. rest:sub(at) end
  if at or rest:find("^%d+$", colon + 1) or rest:find("^%d+[/?]", colon + 1) then return scheme .. rest end
  return scheme .. rest:sub(1, colon) .. mark
end

local rules = {
  { "bourse_[a-z0-9]+", at_least(33) },
  { "A[KS]IA[A-Z0-9]+", at_least(20) },
  { "(" .. any_case("bearer") .. "%s+)[%w%-%._~%+/=]+", "%1" .. mark },
  { "(" .. any_case("authorization") .. separator .. "%a+%s+)" .. value, "%1" .. mark },
  { "(" .. any_case("api") .. "[%-_]?" .. any_case("key") .. separator .. ")(" .. value .. ")", named },
  { "(" .. any_case("password") .. separator .. ")(" .. value .. ")", named },
  { "(postgres%a*:\\?/\\?/)([^%s\"'<>]+)", address },
}

local function clean(text)
  for _, rule in ipairs(rules) do text = text:gsub(rule[1], rule[2]) end
  return text
end

-- Without the flags of the pieces: the parser of parsers.conf has left one before each.
local function join(text)
  local pieces = {}
  for flag, piece in (text .. "\n"):gmatch("([FP]) ([^\n]*)\n") do
    pieces[#pieces + 1] = piece
    if flag == "F" then pieces[#pieces + 1] = "\n" end
  end
  if pieces[#pieces] == "\n" then pieces[#pieces] = nil end
  return table.concat(pieces)
end

-- Never within a character.
local function cut(text)
  local parts, from = {}, 1
  while from <= #text do
    local to = from + longest - 1
    if to < #text then
      for _ = 1, 3 do
        local after = text:byte(to + 1)
        if after < 128 or after > 191 then break end
        to = to - 1
      end
    end
    parts[#parts + 1] = text:sub(from, to)
    from = to + 1
  end
  return parts
end

local function walk(node)
  for key, child in pairs(node) do
    if type(child) == "string" then node[key] = clean(child) end
    if type(child) == "table" then walk(child) end
  end
end

function redact(tag, time, record)
  if type(record.log) ~= "string" then
    if type(record.metadata) == "table" then record.metadata.managedFields = nil end
    walk(record)
    return 2, time, record
  end
  local text = record.log
  if record.stream then text = join(text) end
  text = clean(text)
  record.log = text
  if #text <= longest then return 2, time, record end
  local records, parts = {}, cut(text)
  for i, part in ipairs(parts) do
    records[i] = { log = part, stream = record.stream, part = i, parts = #parts }
  end
  return 2, time, records
end
