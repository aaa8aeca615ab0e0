-- For pandoc, on its way to Word: where the contents stand, what is a caption, how wide columns are.

local contents = [[
<w:p><w:pPr><w:pStyle w:val="TOCHeading"/></w:pPr><w:r><w:t>%s</w:t></w:r></w:p>
<w:p>
  <w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>
  <w:r><w:instrText xml:space="preserve">TOC \o "1-2" \h \z \u</w:instrText></w:r>
  <w:r><w:fldChar w:fldCharType="separate"/></w:r>
</w:p>
%s
<w:p><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>
<w:p><w:r><w:br w:type="page"/></w:r></w:p>]]

local entry = [[<w:p><w:pPr><w:ind w:left="%d"/></w:pPr><w:r><w:t xml:space="preserve">%s</w:t></w:r></w:p>]]

local function escaped(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"))
end

-- the headings of two levels below the title; Word adds the pages when it updates the field
local function entries(blocks)
  local made = pandoc.List()
  for place, block in ipairs(blocks:filter(function(each) return each.t == "Header" end)) do
    if place > 1 and block.level <= 3 then
      made:insert(entry:format(420 * (block.level - 2), escaped(pandoc.utils.stringify(block))))
    end
  end
  return table.concat(made, "\n")
end

-- the contents stand between the cover and the first section, which is the second heading
function Pandoc(document)
  local title = escaped(pandoc.utils.stringify(document.meta["contents-title"]))
  local headers = 0
  for place, block in ipairs(document.blocks) do
    headers = headers + (block.t == "Header" and 1 or 0)
    if headers == 2 then
      document.blocks:insert(place, pandoc.RawBlock("openxml", contents:format(title, entries(document.blocks))))
      break
    end
  end
  return document
end

-- a bold paragraph right above a table is its caption
function Blocks(blocks)
  local made = pandoc.List()
  for _, block in ipairs(blocks) do
    local above = made[#made]
    if block.t == "Table" and above and above.t == "Para" and #above.content == 1 and above.content[1].t == "Strong" then
      block.caption.long = { pandoc.Plain(above.content[1].content) }
      made:remove(#made)
    end
    made:insert(block)
  end
  return made
end

-- a column is as wide as what is in it
function Table(tbl)
  for _, column in ipairs(tbl.colspecs) do
    column[2] = nil
  end
  return tbl
end
