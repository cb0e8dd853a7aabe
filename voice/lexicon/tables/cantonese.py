"""Cantonese as it is written for what people say."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="yue",
    depth="deep",
    conjunctions="同 同埋 但係 不過 因為 所以 如果 雖然 而且 跟住 然後 或者 定係 仲有 即係 咁",
    prepositions="喺 由 將 俾 畀 向 比 為咗 關於 除咗",
    determiners="我嘅 你嘅 佢嘅 我哋嘅 每",
    verbs="叫 名係 電話係 號碼係 地址係 我姓",
    holds="我想 我要 想要 請問 我覺得 唔該我想",
    done="唔該 唔該晒 多謝 多謝晒 拜拜 就咁 冇喇 冇啦",
    particles="呀 啦 喎 㗎 吖 喇 啫 囉 嗎 咩 㗎喇 㗎啦",
    complete="做咩 有咩",
    fillers="嗯 呃 呢個 嗰個 即係 er",
    yes="係 係呀 係嘅 好 好呀 好啊 啱 啱呀 得 可以 要 有 冇錯 冇問題 ok",
    no="唔係 唔係呀 唔好 唔使 唔要 唔得 冇 唔啱 唔使喇 唔洗",
    backchannels="嗯 嗯嗯 哦 喔 係 係係 係呀 係囉 好 好呀 啱 明 明白 得 ok",
    stops="停 等陣 等等 等一陣 唔係 唔好 唔啱 且慢 停低",
    not_stops="係唔係 啱唔啱 好唔好 停車",
    polite="唔該 唔該你 唔該晒 多謝 多謝你 多謝晒 麻煩你 呀 吖 啦",
    decimals="點",
    digit_words="位 位數 個位",
    asks="""
        電話=phone 手機號碼=phone 年份=4 生日=any 出生日期=any 號碼=any 密碼=any 驗證碼=any
        日期=any 身份證=any
    """,
    question_words="咩 乜 乜嘢 邊個 邊度 邊 幾多 幾時 幾 點 點解 點樣 什麼",
    yes_no_openers="嗎 係唔係 係咪 有冇 要唔要 可唔可以 得唔得 好唔好 啱唔啱 未 會唔會 想唔想",
    choice_words="定 定係 定還是 還是 或者",
    requests="請講 請話 請提供 講俾我 話俾我",
)
