"""A codebook to start from: small, valid, every part of the format once, with comments."""

TEMPLATE = """# A codebook for policytext: what your labels mean, and the words that point at them.
# Check it after every edit:   policytext codebook check THIS_FILE
# What every key means:        docs/codebook.md
# Write all terms in simplified characters; texts are converted before they are matched.

id = "my_codebook"
version = "0.1"
title = "住房政策"
title_en = "Housing policy"

# Words that stand for one another inside longer terms (mainland, Taiwan, Hong Kong). Optional.
variants = [["信息", "资讯"], ["网络", "网路"], ["数据", "资料"]]

# How to decide doubtful cases; readers and reviewers see these. Optional.
rules = ["1. 犹豫时不标。"]
rules_en = ["1. Where you hesitate, do not apply."]

# A dimension is a question; its labels are the answers.
# decided_by = "terms": a passage has a label if one of its terms occurs. Works at once, without training.
# decided_by = "classifier": learnt from labels by hand (policytext train); until then the terms decide.
[[dimension]]
id = "goal"
name = "政策目标"
name_en = "Policy goal"
decided_by = "terms"

[[label]]
id = "goal.supply"                      # dimension.name
name = "增加供给"
name_en = "More supply"
definition = "增加住房供给：新建、筹集保障性住房。"
definition_en = "Increases the supply of housing."
not_when = "只提土地供应而没有提住房。"
not_when_en = "Only land is supplied, not housing."
terms = [
  "保障性住房", "公共租赁住房", "公租房", "社会住宅", "公营房屋",
  "新建|筹建|筹集 ..8 住房|住宅",       # one of the first, then within 8 characters of the clause one of the second
]
excluded = ["公租房事件"]               # inside these longer strings a term does not count
examples = [
  { text = "今年筹集保障性住房三万套。", applies = true },
  { text = "今年供应工业用地三百公顷。", applies = false, why = "只有土地" },
]

[[label]]
id = "goal.price"
name = "稳定房价"
name_en = "Stable prices"
definition = "控制房价、租金。"
definition_en = "Controls prices or rents."
terms = ["稳定房价", "房价过快上涨", "租金管制", "限购", "限价"]

# For words in a certain order that no string can list, a spaCy Matcher pattern over words, tried only where an anchor
# occurs. Optional; [[label.pattern]] belongs to the label above it.
[[label.pattern]]
anchors = ["房价"]
tokens = [{ TEXT = { IN = ["稳定", "抑制"] } }, { IS_PUNCT = false, OP = "{0,5}" }, { TEXT = "房价" }]
note = "稳定 … 房价"

# Groups, relations and flags feed the classifier and its evidence. Optional; see docs/codebook.md.
[[group]]
id = "authority"
about = "政府与机关 / authorities"
terms = ["政府", "住建部门", "住房和城乡建设", "国土署", "房屋署"]

[[group]]
id = "building"
about = "建造类动词 / verbs of building"
label = "goal.supply"
terms = ["建设", "兴建", "开工", "筹集"]

[[relation]]
id = "authority_builds"
about = "机关建造 / an authority builds"
label = "goal.supply"
within = "clause"                       # clause, sentence or passage
all = ["@authority", "@building", "住房|住宅|房屋"]
not = ["商品房|楼盘"]

[[flag]]
id = "article"
about = "法条 / a statute's article"
starts = "第[一二三四五六七八九十百]{1,5}条"
"""
