"""What a prompt asks for: subject, mood, and the things that come along."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

WORDS: dict[str, str] = {
    "cat": "猫 貓 喵 cat kitten",
    "koi": "鱼 魚 锦鲤 鲤 koi fish carp",
    "lotus": "荷 莲 蓮 藕 芙蕖 lotus waterlily lily",
    "plum": "梅 桃花 樱 櫻 杏花 海棠 花 plum blossom cherry sakura flower flowers",
    "bamboo": "竹 熊猫 bamboo panda",
    "umbrella": "伞 傘 女子 女孩 少女 美人 仕女 佳人 姑娘 人物 肖像 背影 "
    "umbrella parasol girl woman lady portrait person",
    "crane": "鹤 鶴 crane cranes heron",
    "city": "城 街 市 灯 燈 霓虹 city street town neon lantern lanterns",
    "sea": "海 浪 涛 潮 sea ocean wave waves surf",
    "pine": "松 柏 黄山 pine",
    "willow": "柳 willow liujuan",
    "landscape": "山 峰 岭 岳 江 河 湖 溪 水 舟 船 风景 峡 谷 瀑 "
    "mountain mountains hill river lake water boat landscape scenery",
}
SUBJECTS = tuple(WORDS)
"""In order of precedence: the more particular thing is what the picture is of."""

MARKS: dict[str, str] = {
    "night": "夜 月 星 银河 子时 night moon moonlight moonlit star stars midnight",
    "dusk": "夕 落日 黄昏 暮 霞 残阳 朝阳 日出 晨曦 金 sunset dusk sunrise dawn evening golden",
    "snow": "雪 冬 冰 寒 霜 snow snowy winter ice frost",
    "rain": "雨 烟雨 rain rainy drizzle storm",
    "autumn": "秋 枫 红叶 autumn fall maple",
    "spring": "春 桃 樱 杏 spring cherry peach pink 粉",
    "ink": "水墨 墨 黑白 极简 ink monochrome sumi minimal grey gray",
    "blue": "蓝 青花 靛 blue azure indigo cobalt",
    "green": "青绿 千里江山 翠 碧 绿 green emerald jade malachite",
    "boat": "舟 船 渔 帆 boat ship fisher fisherman sail",
    "sun": "日 太阳 阳 sun",
    "moon": "月 moon moonlight",
    "birds": "鸟 雁 鸥 燕 飞 bird birds geese swallow",
    "bridge": "桥 bridge",
    "temple": "亭 楼 阁 塔 寺 庙 pagoda temple pavilion tower hut house 屋",
    "mist": "雾 烟 云 岚 mist fog cloud clouds misty haze",
    "willow": "柳 willow",
    "petals": "桃花 樱 落花 花瓣 petals cherry sakura",
    "red": "红 朱 赤 丹 red crimson scarlet",
    "stars": "星 银河 star stars milky",
}
MOODS = ("night", "snow", "rain", "dusk", "autumn", "spring", "ink", "blue", "green")
WITHOUT = ("sea", "city", "cat", "koi")
"""Subjects that a prompt must name; the others may also come from its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    subject: str
    mood: str
    marks: frozenset[str]
    seed: int
    """Of everything that chance decides: from prompt, negative prompt, guidance and seed."""

    def has(self, mark: str) -> bool:
        return mark in self.marks


def found(words: str, text: str) -> bool:
    """Chinese words match anywhere, Latin ones as whole words."""
    for word in words.split():
        if word.isascii():
            if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text):
                return True
        elif word in text:
            return True
    return False


def names_willow(text: str) -> bool:
    return "liujuan" in text or "柳" in text


def read(
    prompt: str, negative_prompt: str, seed: int, guidance: float, size: tuple[int, int]
) -> Reading:
    """As in the real pipeline the negative prompt counts only with guidance above 0."""
    text = prompt.lower()
    against = negative_prompt.lower() if guidance > 0 else ""
    refused = {
        name for table in (WORDS, MARKS) for name, words in table.items() if found(words, against)
    }
    digest = hashlib.sha256(repr((prompt, negative_prompt, guidance, seed, size)).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[8:16], "big"))
    marks = {name for name, words in MARKS.items() if found(words, text)} - refused
    subjects = [name for name, words in WORDS.items() if found(words, text) and name not in refused]
    if names_willow(text) and "willow" not in refused and not set(subjects) - {"willow"}:
        subjects = ["willow"]
    if not subjects:
        free = [name for name in SUBJECTS if name not in refused and name not in WITHOUT]
        subjects = [str(rng.choice(free or ["landscape"]))]
    return Reading(
        subject=subjects[0],
        mood=mood_of(subjects[0], marks, refused, rng),
        marks=frozenset(marks),
        seed=int.from_bytes(digest[:8], "big"),
    )


def mood_of(subject: str, marks: set[str], refused: set[str], rng: np.random.Generator) -> str:
    asked = [mood for mood in MOODS if mood in marks]
    if asked:
        return asked[0]
    usual = {
        "cat": ["night", "night", "dusk"],
        "city": ["night"],
        "koi": ["green", "blue", "ink"],
        "lotus": ["green", "spring", "rain", "blue"],
        "plum": ["ink", "spring", "snow", "blue"],
        "bamboo": ["ink", "green", "rain"],
        "umbrella": ["rain", "blue", "green"],
        "crane": ["dusk", "blue", "green"],
        "sea": ["blue", "dusk", "green"],
        "pine": ["green", "ink", "dusk", "blue"],
        "willow": ["green", "spring", "rain", "blue"],
    }.get(subject, ["green", "blue", "ink", "dusk", "night", "autumn"])
    left = [mood for mood in usual if mood not in refused] or ["ink"]
    return str(rng.choice(left))
