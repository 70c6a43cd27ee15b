-- Converts documents to pages, all in one process: pandoc lua convert.lua JOB.json
-- Prints, as JSON, which sources could not be converted and why.

local function read(path)
  local file = assert(io.open(path, 'r'))
  local text = file:read('a')
  file:close()
  return text
end

local job = pandoc.json.decode(read(arg[1]), false)
local template = pandoc.template.compile(read(job.template))

local function convert(document)
  local doc = pandoc.read(document.text, 'markdown')
  for name, value in pairs(job.metadata) do
    doc.meta[name] = doc.meta[name] or value
  end
  doc.meta.source = document.source
  for _, filter in ipairs(job.filters) do
    doc = pandoc.utils.run_lua_filter(doc, filter)
  end
  local options = pandoc.WriterOptions { template = template, html_math_method = 'mathml' }
  local html = pandoc.write(doc, 'html5', options)
  local file = assert(io.open(document.output, 'w'))
  assert(file:write(html))
  assert(file:close())
end

local failures = {}
for _, document in ipairs(job.documents) do
  local fine, problem = pcall(convert, document)
  if not fine then
    failures[document.source] = tostring(problem)
  end
end
-- An empty table would be printed as a list.
print(next(failures) and pandoc.json.encode(failures) or '{}')
