-- The look's part that must see the document, the same in Quarto and in the built-in renderer:
-- callouts and tabsets in our own markup, links to sources as links to pages, the navigation, the way to the root.

local NAMES = { note = 'Note', tip = 'Tip', warning = 'Warning', important = 'Important', caution = 'Caution' }

local function html(text)
  return pandoc.RawBlock('html', text)
end

local function escaped(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

-- A callout: kind, title (text, may be empty), content, and whether it can be folded (and starts folded).
local function callout(kind, title, content, collapse)
  title = title ~= '' and title or NAMES[kind] or 'Note'
  local tag, head = 'aside', 'p'
  if collapse ~= nil then
    tag, head = 'details', 'summary'
  end
  local opened = collapse == false and ' open' or ''
  local blocks = pandoc.Blocks {
    html(('<%s class="callout callout-%s"%s><%s class="callout-title">%s</%s>'):format(
      tag, escaped(kind), opened, head, escaped(title), head)),
  }
  blocks:extend(content)
  blocks:insert(html('</' .. tag .. '>'))
  return blocks
end

-- A tabset: without script its tabs stand one below the other, each under its title.
local function tabset(tabs)
  local blocks = pandoc.Blocks { html('<div class="tabset">') }
  for _, tab in ipairs(tabs) do
    blocks:insert(html('<section class="tab"><h3 class="tab-title">' .. escaped(tab.title) .. '</h3>'))
    blocks:extend(tab.content)
    blocks:insert(html('</section>'))
  end
  blocks:insert(html('</div>'))
  return blocks
end

local function collapsed(value)
  if value == nil or value == '' then return nil end
  return tostring(value) == 'true'
end

-- Quarto hands callouts and tabsets over as nodes of its own.
local function quarto_callout(node)
  local title = node.title and pandoc.utils.stringify(node.title) or ''
  return callout(node.type, title, pandoc.Blocks(node.content), collapsed(node.collapse))
end

local function quarto_tabset(node)
  local tabs = {}
  for i = 1, #node.tabs do
    local tab = node.tabs[i]
    tabs[i] = { title = pandoc.utils.stringify(tab.title), content = pandoc.Blocks(tab.content) }
  end
  return tabset(tabs)
end

-- pandoc knows them as divisions.
local function division(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match('^callout%-(%l+)$')
    if kind then
      local content, title = div.content, div.attributes.title or ''
      if title == '' and content[1] and content[1].t == 'Header' then
        title = pandoc.utils.stringify(content[1])
        content:remove(1)
      end
      return callout(kind, title, content, collapsed(div.attributes.collapse))
    end
  end
  if div.classes:includes('panel-tabset') then
    local tabs, level = {}, nil
    for _, block in ipairs(div.content) do
      if block.t == 'Header' and (level == nil or block.level == level) then
        level = block.level
        tabs[#tabs + 1] = { title = pandoc.utils.stringify(block), content = pandoc.Blocks {} }
      elseif #tabs > 0 then
        tabs[#tabs].content:insert(block)
      end
    end
    return tabset(tabs)
  end
end

local function link(element)
  local page, rest = element.target:match('^([^:#?]+)%.qmd(.*)$')
  if not page then
    page, rest = element.target:match('^([^:#?]+)%.ipynb(.*)$')
  end
  if page then
    element.target = page .. '.html' .. rest
    return element
  end
end

-- The folder of the page sources as seen from this source, and the source as seen from that folder.
local function place(meta)
  if quarto then
    local look = pandoc.path.directory(PANDOC_SCRIPT_FILE)
    local source = quarto.doc.input_file:gsub('\\', '/')
    local root = pandoc.path.directory(look)
    return root, source:match('/(tickers/[^/]+)$') or pandoc.path.filename(source)
  end
  local source = pandoc.utils.stringify(meta.source)
  local _, depth = source:gsub('/', '')
  return depth == 0 and '.' or ('../'):rep(depth):sub(1, -2), source
end

local function front_matter(path)
  local file = io.open(path, 'r')
  local text = file and file:read('a') or ''
  if file then file:close() end
  local front = text:match('^%-%-%-\r?\n.-\n%-%-%-')
  return front and pandoc.read(front .. '\n', 'markdown').meta or {}
end

-- Pages that name a place in the navigation (`nav: 2`), in that order.
local function navigation(folder, source)
  local items = {}
  for _, name in ipairs(pandoc.system.list_directory(folder)) do
    local stem = name:match('^([^_.].*)%.qmd$')
    local meta = stem and front_matter(pandoc.path.join { folder, name }) or {}
    if meta.nav then
      items[#items + 1] = {
        order = tonumber(pandoc.utils.stringify(meta.nav)) or 99,
        text = pandoc.utils.stringify(meta['nav-title'] or meta.title or stem),
        href = stem .. '.html',
        current = name == source,
      }
    end
  end
  table.sort(items, function(a, b) return a.order < b.order or (a.order == b.order and a.href < b.href) end)
  return items
end

local function document(doc)
  local root, source = place(doc.meta)
  local folder = quarto and root or '.'
  doc.meta.root = root
  doc.meta.nav = navigation(folder, source)
  if not doc.meta.pagetitle and doc.meta.title then
    doc.meta.pagetitle = pandoc.utils.stringify(doc.meta.title)
  end
  return doc
end

if quarto then
  return { { Callout = quarto_callout, Tabset = quarto_tabset }, { Pandoc = document } }
end
return { { Div = division, Link = link }, { Pandoc = document } }
