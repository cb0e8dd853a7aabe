"""Mandarin Chinese, in simplified and in traditional characters."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="zh cmn",
    depth="deep",
    conjunctions="""
        和 跟 与 與 或 或者 但 但是 可是 不过 不過 因为 因為 所以 如果 要是 虽然 雖然 而且 然后
        然後 以及 还有 還有 还是 還是
    """,
    prepositions="从 從 把 被 给 給 向 往 比 为了 為了 关于 關於 除了",
    determiners="我的 你的 他的 她的 我们的 我們的 每",
    verbs="名字是 电话是 電話是 号码是 號碼是 地址是 叫 我姓",
    holds="我想 我要 我想要 请问 請問 我觉得 我覺得",
    done="谢谢 謝謝 再见 再見 拜拜 就这样 就這樣 没有了 沒有了",
    particles="吗 嗎 吧 啦",
    complete="这是我的 這是我的 是你的",
    fillers="嗯 呃 额 額 那个 那個 就是说 就是說",
    yes="是 是的 对 對 对的 對的 好 好的 好啊 可以 行 没错 沒錯 嗯 要 有 没问题 沒問題",
    no="不 不是 不对 不對 不要 不用 没有 沒有 不行 不可以",
    backchannels="嗯 嗯嗯 哦 喔 啊 对 對 对对 對對 好 好的 是 是的 是啊 这样啊 這樣啊 明白 了解",
    stops="停 等等 等一下 等一等 不是 不对 不對 别说了 別說了",
    not_stops="是不是 对不对 對不對 停车 停車",
    polite="谢谢 謝謝 谢谢你 謝謝你 麻烦你 麻煩你 麻烦您 麻煩您 多谢 多謝",
    repeats="",
    decimals="点 點",
    digit_words="位 位数 位數",
    asks="""
        电话=phone 電話=phone 手机号=phone 手機號=phone 邮编=6 年份=4 生日=any 出生日期=any
        号码=any 號碼=any 密码=any 密碼=any 验证码=any 驗證碼=any 日期=any
    """,
    question_words="什么 什麼 谁 誰 哪 哪里 哪裡 几 幾 多少 怎么 怎麼 为什么 為什麼",
    yes_no_openers="""
        吗 嗎 是不是 有没有 有沒有 要不要 可不可以 能不能 好不好 对不对 對不對 对吧 對吧 是否
    """,
    choice_words="还是 還是",
    requests="请说 請說 请告诉 請告訴 请提供 請提供",
)
