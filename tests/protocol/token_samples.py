"""Texts in several languages and kinds, with their tokens as OpenAI's o200k_base counts them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SAMPLES", "Sample"]


class Sample(NamedTuple):
    """A text and how many tokens it has.

    Attributes
    ----------
    kind : str
        A language or a format.
    text : str
    n_tokens : int
        Counted with o200k_base.
    """

    kind: str
    text: str
    n_tokens: int


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "English",
        "The lighthouse keeper wrote down the weather every morning, whether or not anybody would ever read it. On "
        "calm days the entry was a single word; on stormy ones it filled the page, and the pencil had gone through "
        "the paper twice. When the station was finally automated, his daughter found forty-one notebooks in the "
        "cellar, dry, numbered, and in better order than the accounts of the harbour.",
        80,
    ),
    Sample(
        "English",
        "To compare the two models fairly, hold the prompt constant and change one parameter at a time. Start with "
        "temperature 0.2, then 0.7, and record latency, output length and the share of answers that parse. If the "
        "variance between repeats is larger than the difference between settings, you haven't learned anything "
        "yet: run more repeats, or choose a metric that's less noisy.",
        78,
    ),
    Sample(
        "English",
        "Our quarterly review shows that revenue rose by 12.5% while support tickets fell from 3,410 to 2,987. The "
        "biggest driver was the new onboarding checklist; customers who finished it were half as likely to ask for "
        "help. We'd recommend translating it next, because three of our five fastest-growing regions still get "
        "the English version.",
        70,
    ),
    Sample(
        "Japanese",
        "灯台守は、誰が読むかもわからないまま、毎朝の天気を帳面に書きとめていました。穏やかな日はたった一語、嵐の日は"
        "一ページがびっしりと埋まり、鉛筆が紙を破ったことも二度あったそうです。無人化が決まったあと、娘さんが地下室で"
        "四十一冊のノートを見つけました。どれも乾いていて、番号が振られ、港の帳簿よりもずっときれいに整理されていました。",
        134,
    ),
    Sample(
        "Japanese",
        "二つのモデルを公平に比べるには、プロンプトを固定し、パラメータを一つずつ変えます。まず temperature を 0.2 に設定し、"
        "次に 0.7 にして、応答時間、出力の長さ、正しく解析できた回答の割合を記録してください。繰り返しごとのばらつきが設定による"
        "差より大きい場合は、まだ何もわかっていません。回数を増やすか、ノイズの少ない指標を選びましょう。",
        128,
    ),
    Sample(
        "Japanese",
        "今期の売上は前年同期比で12.5%増加し、問い合わせ件数は3,410件から2,987件に減少しました。最も大きな要因は新しい導入"
        "チェックリストで、最後まで終えたお客様がサポートに連絡する割合は半分になっています。次は翻訳をおすすめします。"
        "成長の速い五つの地域のうち三つでは、いまだに英語版が使われているためです。",
        113,
    ),
    Sample(
        "Korean",
        "등대지기는 누가 읽을지도 모르면서 매일 아침 날씨를 적어 두었다. 잔잔한 날에는 단 한 마디였고, 폭풍이 치는 날에는 "
        "한 쪽이 가득 찼으며, 연필이 종이를 뚫고 나간 적도 두 번 있었다. 등대가 마침내 자동화되었을 때 그의 딸은 지하실에서 "
        "공책 마흔한 권을 발견했다. 모두 뽀송뽀송했고 번호가 매겨져 있었으며, 항구의 장부보다 더 잘 정리되어 있었다.",
        132,
    ),
    Sample(
        "Korean",
        "두 모델을 공정하게 비교하려면 프롬프트를 고정하고 매개변수를 한 번에 하나씩 바꾸세요. 먼저 temperature를 0.2로, "
        "그다음 0.7로 설정하고 응답 시간, 출력 길이, 올바르게 분석된 답변의 비율을 기록합니다. 반복 사이의 차이가 설정 사이의 "
        "차이보다 크다면 아직 아무것도 알아낸 것이 아닙니다. 반복 횟수를 늘리거나 잡음이 적은 지표를 선택하세요.",
        113,
    ),
    Sample(
        "Korean",
        "이번 분기 매출은 12.5% 늘었고 문의 건수는 3,410건에서 2,987건으로 줄었습니다. 가장 큰 요인은 새로운 시작 안내 "
        "목록이었는데, 이를 끝까지 마친 고객은 도움을 요청하는 비율이 절반에 그쳤습니다. 빠르게 성장하는 다섯 지역 가운데 "
        "세 곳에서 아직 영어판을 쓰고 있으므로 다음에는 번역을 권합니다.",
        94,
    ),
    Sample(
        "Turkish",
        "Fener bekçisi, kimsenin okuyup okumayacağını bilmeden her sabah havayı deftere yazardı. Sakin günlerde kayıt "
        "tek bir kelimeydi; fırtınalı günlerde ise sayfa dolar, kurşun kalem kâğıdı iki kez delip geçerdi. İstasyon "
        "sonunda otomatik hâle getirildiğinde kızı bodrumda kırk bir defter buldu: hepsi kuruydu, numaralanmıştı ve "
        "limanın hesaplarından daha düzenliydi.",
        110,
    ),
    Sample(
        "Turkish",
        "İki modeli adil biçimde karşılaştırmak için istemi sabit tutun ve her seferinde yalnızca bir parametreyi "
        "değiştirin. Önce temperature değerini 0.2, sonra 0.7 yapın; gecikmeyi, çıktı uzunluğunu ve doğru "
        "çözümlenebilen yanıtların oranını kaydedin. Tekrarlar arasındaki fark, ayarlar arasındaki farktan büyükse "
        "henüz hiçbir şey öğrenmediniz demektir: daha çok tekrar yapın ya da daha az gürültülü bir ölçüt seçin.",
        121,
    ),
    Sample(
        "Turkish",
        "Bu çeyrekte gelirimiz %12,5 arttı, destek talepleri ise 3.410'dan 2.987'ye düştü. En büyük etken yeni "
        "başlangıç listesiydi; listeyi tamamlayan müşterilerin yardım isteme olasılığı yarıya indi. Bir sonraki adım "
        "olarak çeviriyi öneriyoruz, çünkü en hızlı büyüyen beş bölgemizin üçünde hâlâ İngilizce sürüm kullanılıyor.",
        99,
    ),
    Sample(
        "German",
        "Der Leuchtturmwärter schrieb jeden Morgen das Wetter auf, ganz gleich, ob es je jemand lesen würde. An ruhigen "
        "Tagen war der Eintrag ein einziges Wort; an stürmischen füllte er die Seite, und zweimal war der Bleistift "
        "durch das Papier gegangen. Als die Station schließlich automatisiert wurde, fand seine Tochter im Keller "
        "einundvierzig Hefte, trocken, nummeriert und besser geordnet als die Rechnungsbücher des Hafens.",
        99,
    ),
    Sample(
        "German",
        "Um die beiden Modelle gerecht zu vergleichen, lassen Sie den Prompt unverändert und ändern immer nur einen "
        "Parameter. Beginnen Sie mit temperature 0.2, dann 0.7, und notieren Sie Antwortzeit, Ausgabelänge und den "
        "Anteil der Antworten, die sich auswerten lassen. Ist die Streuung zwischen den Wiederholungen größer als der "
        "Unterschied zwischen den Einstellungen, haben Sie noch nichts gelernt.",
        85,
    ),
    Sample(
        "Chinese",
        "看守灯塔的老人每天早晨都记下天气，也不管以后会不会有人读。风平浪静的日子只写一个字，暴风雨的日子则写满一页，铅笔曾两次"
        "划破纸面。灯塔最终实现自动化以后，他的女儿在地下室里发现了四十一本笔记，干燥、编了号，比港口的账目整理得还要好。",
        99,
    ),
    Sample(
        "Chinese",
        "要公平地比较两个模型，请保持提示词不变，每次只改变一个参数。先把 temperature 设为 0.2，再设为 0.7，并记录响应时间、输出长度"
        "以及能够正确解析的回答所占的比例。如果重复实验之间的差异大于不同设置之间的差异，那么你还没有得出任何结论：请增加重复次数，"
        "或者选择噪声更小的指标。",
        93,
    ),
    Sample(
        "JSON",
        '{"orders": [{"id": 10482, "customer": "M. Okafor", "placed_at": "2026-03-14T09:26:53Z", "total": 249.9, '
        '"currency": "EUR", "items": [{"sku": "LMP-0031", "quantity": 2, "unit_price": 79.95}, {"sku": "BLB-E27-W", '
        '"quantity": 4, "unit_price": 22.5}], "is_gift": false, "note": null}], "next_cursor": "b2Zmc2V0PTUw"}',
        133,
    ),
    Sample(
        "JSON",
        "{\n"
        '  "type": "object",\n'
        '  "properties": {\n'
        '    "city": {"type": "string", "description": "Name of the city, in its own language"},\n'
        '    "population": {"type": "integer", "minimum": 0},\n'
        '    "coordinates": {\n'
        '      "type": "array",\n'
        '      "items": {"type": "number"},\n'
        '      "minItems": 2,\n'
        '      "maxItems": 2\n'
        "    }\n"
        "  },\n"
        '  "required": ["city", "population"],\n'
        '  "additionalProperties": false\n'
        "}",
        113,
    ),
    Sample(
        "Python",
        "from __future__ import annotations\n\n"
        "import math\n"
        "from collections.abc import Iterable\n\n\n"
        "class RunningMean:\n"
        '    """The mean and the spread of numbers that come one by one."""\n\n'
        "    def __init__(self) -> None:\n"
        "        self.count = 0\n"
        "        self._mean = 0.0\n"
        "        self._squares = 0.0\n\n"
        "    def update(self, values: Iterable[float]) -> None:\n"
        "        for value in values:\n"
        "            self.count += 1\n"
        "            step = value - self._mean\n"
        "            self._mean += step / self.count\n"
        "            self._squares += step * (value - self._mean)\n\n"
        "    @property\n"
        "    def std(self) -> float:\n"
        "        if self.count < 2:\n"
        "            return math.nan\n"
        "        return math.sqrt(self._squares / (self.count - 1))\n",
        176,
    ),
    Sample(
        "Python",
        "df = pd.read_csv('harbour.csv', parse_dates=['day'], index_col='day')\n"
        "monthly = df.resample('ME')['height_m'].agg(['mean', 'max', 'count'])\n"
        "fig, ax = plt.subplots(figsize=(8, 4.5), layout='constrained')\n"
        "monthly['mean'].plot(ax=ax, color='#336699', label=f'mean of {len(df):,} readings')\n"
        "ax.axhline(df.height_m.quantile(0.99), ls='--', lw=1)  # one day in a hundred\n"
        "ax.set(xlabel='', ylabel='height (m)', title='Tide by month')\n"
        "for name, group in df.groupby(df.index.year):\n"
        "    print(f'{name}: {group.height_m.max():.2f} m', *group.index[:3], sep='\\n  ')\n",
        175,
    ),
    Sample(
        "Markdown",
        "## What makes the tide turn\n\n"
        "The sea rises and falls **twice** a day; see [the table](#heights) and `height(hours)` below.\n\n"
        "1. *Spring tides* come with every full moon.\n"
        "2. *Neap tides* come between them.\n"
        "   - They are lower by about 20 %.\n\n"
        "| harbour | tide | height (m) |\n"
        "|:--------|:----:|-----------:|\n"
        "| Northern bay | high | 4.12 |\n"
        "| Southern shore | low | 0.87 |\n\n"
        "> Never turn your back on the sea.\n\n"
        "```python\n"
        "print(height(6.2))\n"
        "```\n",
        133,
    ),
    Sample(
        "CSV",
        "day,station,height_m,temperature_c,wind,remark\n"
        "2026-02-01,Northern bay,4.12,6.3,NW 5,\n"
        "2026-02-02,Northern bay,4.31,5.9,NW 7,gale warning\n"
        '2026-02-03,Northern bay,3.98,6.1,W 4,"rain, later sun"\n'
        "2026-02-01,Southern shore,0.87,7.4,SW 3,\n"
        "2026-02-02,Southern shore,0.91,7.0,SW 4,\n"
        "2026-02-03,Southern shore,,7.2,S 2,gauge out of order\n",
        155,
    ),
)
