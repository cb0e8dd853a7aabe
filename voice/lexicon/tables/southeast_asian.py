"""Languages of Southeast Asia; Thai, Lao, Khmer and Burmese are written without spaces."""

from __future__ import annotations

from voice.lexicon.table import Table

THAI = Table(
    tags="th",
    conjunctions="และ หรือ แต่ เพราะ เพราะว่า ถ้า แล้วก็ เมื่อ ว่า กับ ซึ่ง หาก ดังนั้น เนื่องจาก",
    prepositions="ของ ที่ ใน จาก สำหรับ โดย เพื่อ ถึง ตั้งแต่ ระหว่าง เกี่ยวกับ",
    determiners="ทุก แต่ละ",
    verbs="คือ ชื่อ อยาก ต้องการ ขอ เป็น อยากจะ",
    adverbs="ประมาณ",
    holds="""
        ผมชื่อ ฉันชื่อ ดิฉันชื่อ เบอร์คือ เบอร์โทรคือ อยากได้ หมายถึง เช่น คือว่า ผมอยากจะ ฉันอยากจะ
    """,
    complete="""
        เท่าที่ สถานที่ ทันที เต็มที่ หน้าที่ พื้นที่ เจ้าหน้าที่ อะไรคือ คุณชื่อ รายชื่อ คิดถึง
        ไปถึง มาถึง ของอะไร เป็นของ สิ่งของ ของขวัญ ข้างใน อยู่ใน ช่วยด้วยถ้า เป็นไปได้ ไม่อยาก
        ไม่ต้องการ คนที่ กี่ที่ สองที่ มาจาก ตามที่ต้องการ ได้เป็น ภายใน
    """,
    done="""
        ขอบคุณ ขอบคุณครับ ขอบคุณค่ะ ขอบคุณมาก ขอบคุณมากครับ ขอบคุณมากค่ะ สวัสดีครับ สวัสดีค่ะ ลาก่อน
        แค่นี้ครับ แค่นี้ค่ะ แค่นั้นครับ แค่นั้นค่ะ
    """,
    particles="ครับ ค่ะ คะ จ้ะ จ๊ะ ไหม มั้ย ไหมครับ ไหมคะ หรือเปล่า หรือยัง นะครับ นะคะ ฮะ",
    fillers="เอ่อ อืม เออ อ่า คือ แบบ อ่ะ",
    yes="""
        ใช่ ใช่ครับ ใช่ค่ะ ครับ ค่ะ ได้ ได้ครับ ได้ค่ะ ถูกต้อง ถูกต้องครับ ถูกต้องค่ะ โอเค ตกลง
        แน่นอน มี มีครับ มีค่ะ เอา เอาครับ เอาค่ะ ถูก
    """,
    no="""
        ไม่ ไม่ใช่ ไม่ครับ ไม่ค่ะ ไม่ใช่ครับ ไม่ใช่ค่ะ ไม่ได้ ไม่เอา ไม่มี ไม่มีครับ ไม่มีค่ะ ยัง
        ยังครับ ยังค่ะ ไม่ต้อง ไม่เป็นไร
    """,
    backchannels="ครับ ค่ะ อืม อ๋อ ใช่ โอเค เข้าใจ เข้าใจแล้ว จ้ะ จริงเหรอ ได้ ครับผม",
    stops="หยุด เดี๋ยว เดี๋ยวก่อน รอ รอก่อน รอเดี๋ยว ไม่ใช่ ขอโทษ สักครู่ พอ พอแล้ว เงียบ ฟังก่อน",
    not_stops="ราคา เหรอ จริงเหรอ",
    polite="""
        ครับ ค่ะ คะ ขอบคุณ ขอบคุณครับ ขอบคุณค่ะ ขอบคุณมาก ด้วย ด้วยครับ ด้วยค่ะ หน่อย หน่อยครับ
        หน่อยค่ะ นะ นะครับ นะคะ กรุณา
    """,
    numbers="ศูนย์=0 หนึ่ง=1 สอง=2 สาม=3 สี่=4 ห้า=5 หก=6 เจ็ด=7 แปด=8 เก้า=9 สิบ=10",
    decimals="จุด",
    digit_words="หลัก ตัว",
    asks="""
        เบอร์โทร=phone เบอร์โทรศัพท์=phone หมายเลขโทรศัพท์=phone เบอร์มือถือ=phone รหัสไปรษณีย์=5
        วันเกิด=any วันเดือนปีเกิด=any รหัส=any เลขบัตรประชาชน=13 หมายเลข=any
    """,
    question_words="อะไร ใคร ที่ไหน เมื่อไหร่ เมื่อไร อย่างไร ยังไง ทำไม ไหน กี่ เท่าไหร่ เท่าไร",
    yes_no_openers="ไหม มั้ย หรือเปล่า หรือยัง ใช่ไหม ได้ไหม",
    choice_words="หรือ",
    requests="ขอทราบ ช่วยบอก กรุณาบอก กรุณาแจ้ง บอก แจ้ง กรุณา",
)

VIETNAMESE = Table(
    tags="vi",
    conjunctions="và hoặc nhưng vì bởi_vì nếu rằng khi mặc_dù nên mà hay do_đó với",
    prepositions="của ở tại từ đến cho về trong trên dưới bằng theo để vào giữa",
    determiners="mỗi các những một mọi",
    verbs="là tên_là muốn cần",
    adverbs="rất khoảng hơi",
    holds="""
        tôi_muốn tôi_tên_là tên_tôi_là số_của_tôi_là số_điện_thoại_của_tôi_là tôi_cần em_muốn
        em_tên_là cho_tôi_hỏi ví_dụ tức_là tôi_có thì_là
    """,
    complete="""
        của_ai ở_đâu từ_đâu đến_đâu cho_ai với_ai về_ai để_làm_gì cho_tôi cái_một thì_sao không_ở
        đi_về trở_về quay_về ra_về nói_cho bên_trong bên_trên bên_dưới ở_trong ở_trên ở_dưới đi_vào
        mời_vào ngày_mồng_một thứ_một tháng_một không_muốn không_cần tôi_không_cần quay_trở_về
        chưa_đến đã_đến sắp_đến đang_đến khi_nào_đến nào_là gọi_là mang_theo đi_theo làm_theo có_hay
        phim_hay bài_hay rất_hay không_hay thật_hay hơn_là hay_là
    """,
    done="""
        cảm_ơn xin_cảm_ơn cám_ơn cảm_ơn_nhiều cảm_ơn_bạn cảm_ơn_anh cảm_ơn_chị cảm_ơn_em tạm_biệt
        chào_anh chào_chị không_cảm_ơn hết_rồi vậy_thôi thế_thôi
    """,
    particles="ạ nhé nha nhỉ không_ạ vậy_ạ à",
    fillers="ờ ừm thì à_thì kiểu_như kiểu ý_là",
    yes="""
        vâng dạ có đúng phải ừ được ok đồng_ý chính_xác dĩ_nhiên tất_nhiên đúng_rồi phải_rồi vâng_ạ
        dạ_vâng dạ_có dạ_đúng đúng_vậy có_ạ được_ạ dạ_được rồi
    """,
    no="""
        không dạ_không không_phải chưa không_ạ không_đúng sai không_cần không_có chưa_ạ dạ_chưa
        không_được đừng
    """,
    backchannels="""
        vâng dạ ừ ừm à ờ thế_à vậy_à đúng ok hiểu_rồi đúng_rồi được rồi vâng_vâng dạ_vâng
    """,
    stops="""
        dừng dừng_lại chờ chờ_chút chờ_một_chút đợi đợi_chút đợi_đã khoan khoan_đã không xin_lỗi
        thôi im_lặng ngừng
    """,
    polite="ạ cảm_ơn cám_ơn xin_cảm_ơn làm_ơn nhé vui_lòng nha giúp_tôi",
    numbers="""
        không=0? linh=0? lẻ=0? một=1 mốt=1? hai=2 ba=3 bốn=4 tư=4? năm=5 lăm=5? sáu=6 bảy=7 bẩy=7
        tám=8 chín=9 mười=10
    """,
    decimals="phẩy",
    digit_words="số chữ_số",
    asks="""
        số_điện_thoại=phone ngày_sinh=any ngày_tháng_năm_sinh=any mã_bưu_điện=any căn_cước=12 mã=any
        số=any
    """,
    question_words="""
        gì ai đâu khi_nào bao_giờ thế_nào như_thế_nào tại_sao vì_sao nào mấy bao_nhiêu sao
    """,
    yes_no_openers="không_ạ có_phải phải_không đúng_không được_không chưa_ạ không",
    choice_words="hay hoặc",
    requests="cho_tôi_biết cho_em_biết xin_cho vui_lòng đọc",
)

INDONESIAN = Table(
    tags="id",
    conjunctions="""
        dan atau tetapi tapi karena bahwa jika kalau ketika meskipun walaupun sehingga supaya agar
        serta yang lalu saat
    """,
    prepositions="""
        di ke dari untuk dengan pada oleh tentang tanpa antara sampai hingga sejak bagi kepada
    """,
    determiners="setiap sebuah seorang para bapak ibu tiap",
    verbs="adalah ingin nama_saya nomor_saya",
    adverbs="sangat sekitar kira-kira lebih paling",
    holds="""
        saya_mau saya_ingin nama_saya nama_saya_adalah nomor_saya nomor_saya_adalah
        nomor_telepon_saya misalnya saya_perlu bisa_tolong apakah_bisa saya_punya
    """,
    complete="""
        siapa_nama_saya apa_nama_saya untuk_bapak untuk_ibu baik_pak baik_bu terima_kasih_bapak
        terima_kasih_ibu iya_bapak iya_ibu yang_mana apa_yang dari_mana siapa_yang sama_dengan
        kapan_sampai sudah_sampai tidak_lebih kurang_lebih tidak_ingin saya_tidak_ingin sampai_kapan
        pagi_ibu pagi_bapak
    """,
    done="""
        terima_kasih makasih terima_kasih_banyak sampai_jumpa tolong tidak_terima_kasih itu_saja
        cukup_itu_saja sudah_cukup selamat_tinggal
    """,
    fillers="eh em anu hmm apa_ya gimana_ya ee",
    yes="""
        ya iya betul benar tentu oke baik setuju boleh pasti ya_betul iya_betul ya_benar sip sudah
        bisa ada mau
    """,
    no="""
        tidak enggak nggak gak tak bukan belum jangan tidak_ada salah tidak_pernah nggak_ada
        tidak_usah belum_ada tidak_mau
    """,
    backchannels="""
        ya iya oke baik oh_ya betul mm hmm gitu begitu oh_begitu mengerti paham benar sip
    """,
    stops="""
        berhenti stop tunggu tunggu_sebentar sebentar tidak maaf permisi cukup diam dengar
        nanti_dulu batal jangan
    """,
    polite="tolong terima_kasih makasih mohon ya silakan pak bu",
    numbers="""
        nol=0 kosong=0? satu=1 dua=2 tiga=3 empat=4 lima=5 enam=6 tujuh=7 delapan=8 sembilan=9
        sepuluh=10
    """,
    repeats="dobel=2",
    decimals="koma",
    digit_words="digit angka",
    asks="""
        nomor_telepon=phone nomor_hp=phone nomor_ponsel=phone kode_pos=5 tanggal_lahir=any nik=16
        pin=any kode=any nomor=any
    """,
    question_words="""
        apa siapa di_mana dimana ke_mana kapan bagaimana gimana mengapa kenapa mana berapa yang_mana
    """,
    yes_no_openers="apakah bisakah bolehkah benarkah adakah sudahkah",
    choice_words="atau",
    requests="sebutkan tolong_sebutkan berikan beri_tahu masukkan",
)

MALAY = Table(
    tags="ms",
    conjunctions="dan atau tetapi tapi kerana bahawa jika kalau apabila walaupun supaya serta yang",
    prepositions="""
        di ke dari daripada untuk dengan pada oleh tentang tanpa antara sehingga sejak bagi kepada
    """,
    determiners="setiap sebuah seorang para encik puan tiap",
    verbs="ialah adalah ingin nama_saya nombor_saya",
    adverbs="sangat lebih_kurang paling",
    holds="""
        saya_nak saya_mahu saya_ingin nama_saya_ialah nombor_saya_ialah nombor_telefon_saya
        contohnya saya_perlu boleh_tolong
    """,
    complete="""
        siapa_nama_saya baik_encik baik_puan terima_kasih_encik terima_kasih_puan ya_encik ya_puan
        yang_mana apa_yang dari_mana siapa_yang sama_dengan tidak_ingin
    """,
    done="""
        terima_kasih terima_kasih_banyak selamat_tinggal jumpa_lagi tolong tidak_terima_kasih
        itu_sahaja itu_saja
    """,
    fillers="er em apa_ni hmm",
    yes="ya betul benar tentu okey baik setuju boleh pasti ya_betul ada mahu nak sudah",
    no="tidak tak bukan belum jangan tiada salah tak_ada tidak_ada tidak_pernah tak_nak",
    backchannels="ya okey baik oh betul hmm faham begitu benar",
    stops="berhenti stop tunggu tunggu_sekejap sekejap tidak maaf cukup diam dengar jangan",
    polite="tolong terima_kasih sila ya encik puan",
    numbers="""
        kosong=0 sifar=0 satu=1 dua=2 tiga=3 empat=4 lima=5 enam=6 tujuh=7 lapan=8 sembilan=9
        sepuluh=10
    """,
    decimals="perpuluhan",
    digit_words="digit angka",
    asks="""
        nombor_telefon=phone nombor_telefon_bimbit=phone poskod=5 tarikh_lahir=any kad_pengenalan=12
        pin=any kod=any nombor=any
    """,
    question_words="apa siapa di_mana ke_mana bila bagaimana mengapa kenapa mana berapa yang_mana",
    yes_no_openers="adakah bolehkah betulkah apakah",
    choice_words="atau",
    requests="sebutkan sila_sebutkan beritahu berikan masukkan",
)

TAGALOG = Table(
    tags="tl fil",
    conjunctions="at o pero ngunit dahil kasi kung kapag na habang pati",
    prepositions="sa ng para_sa mula_sa tungkol_sa kay galing_sa",
    articles="ang ang_mga mga si",
    determiners="aking iyong ating bawat isang",
    holds="ang_pangalan_ko_ay ang_numero_ko_ay gusto_kong halimbawa ang_pangalan_ko_po_ay",
    complete="sige_na tama_na ayos_na okay_na meron_na wala_na tapos_na na_po",
    done="""
        salamat maraming_salamat salamat_po paalam maraming_salamat_po hindi_po_salamat yun_lang
        iyon_lang
    """,
    fillers="ano kuwan kwan",
    yes="oo opo tama sige okay okey syempre talaga oho oo_naman tama_po sige_po meron mayroon",
    no="hindi hindi_po wala ayaw ayoko hindi_pa mali wala_po huwag",
    backchannels="oo opo sige okay tama talaga ah_ganun naiintindihan_ko ganun_ba",
    stops="""
        tigil hinto sandali sandali_lang teka teka_lang hindi pasensya paumanhin tama_na makinig_ka
    """,
    polite="po salamat salamat_po pakiusap maraming_salamat pakisuyo",
    numbers="""
        sero=0 isa=1 dalawa=2 tatlo=3 apat=4 lima=5 anim=6 pito=7 walo=8 siyam=9 sampu=10 zero=0
        one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9
    """,
    repeats="double=2",
    question_words="ano sino saan kailan paano bakit alin ilan magkano",
    yes_no_openers="ba po_ba",
    choice_words="o",
    asks="""
        numero_ng_telepono=phone cellphone_number=phone phone_number=phone petsa_ng_kapanganakan=any
        numero=any
    """,
)

LAO = Table(
    tags="lo",
    conjunctions="ແລະ ຫຼື ແຕ່ ເພາະວ່າ ຖ້າ",
    prepositions="ຂອງ ໃນ ຈາກ ສຳລັບ ກັບ",
    verbs="ຊື່ ແມ່ນ",
    complete="ບໍ່ແມ່ນ ລາຍຊື່",
    done="ຂອບໃຈ ຂອບໃຈຫຼາຍ ຂອບໃຈຫຼາຍໆ ລາກ່ອນ",
    particles="ບໍ ເດີ",
    fillers="ເອີ",
    yes="ແມ່ນ ແມ່ນແລ້ວ ໄດ້ ເຈົ້າ ໂດຍ ຖືກຕ້ອງ ຕົກລົງ",
    no="ບໍ່ ບໍ່ແມ່ນ ບໍ່ໄດ້ ບໍ່ມີ ບໍ່ເອົາ",
    backchannels="ແມ່ນ ເຈົ້າ ໂດຍ ໂອເຄ",
    stops="ຢຸດ ຖ້າກ່ອນ ຂໍໂທດ ບໍ່ແມ່ນ",
    polite="ຂອບໃຈ ກະລຸນາ ແດ່",
    numbers="ສູນ=0 ໜຶ່ງ=1 ສອງ=2 ສາມ=3 ສີ່=4 ຫ້າ=5 ຫົກ=6 ເຈັດ=7 ແປດ=8 ເກົ້າ=9 ສິບ=10",
    question_words="ຫຍັງ ໃຜ ໃສ ເມື່ອໃດ ແນວໃດ ເປັນຫຍັງ ຈັກ ເທົ່າໃດ",
    yes_no_openers="ບໍ ແມ່ນບໍ",
    choice_words="ຫຼື",
)

KHMER = Table(
    tags="km",
    conjunctions="និង ឬ ប៉ុន្តែ ពីព្រោះ ប្រសិនបើ",
    prepositions="របស់ ក្នុង ពី សម្រាប់ ជាមួយ",
    complete="អំពី",
    done="អរគុណ អរគុណច្រើន សូមអរគុណ លាហើយ",
    particles="ទេ",
    yes="បាទ ចាស ត្រូវហើយ បាន យល់ព្រម",
    no="ទេ អត់ទេ មិនមែនទេ អត់",
    backchannels="បាទ ចាស អូខេ យល់ហើយ",
    stops="ឈប់ ចាំសិន រង់ចាំ សូមទោស",
    polite="សូម អរគុណ",
    numbers="""
        សូន្យ=0 មួយ=1 ពីរ=2 បី=3 បួន=4 ប្រាំ=5 ប្រាំមួយ=6 ប្រាំពីរ=7 ប្រាំបី=8 ប្រាំបួន=9 ដប់=10
    """,
    question_words="អ្វី នរណា ណា ពេលណា ម៉េច ហេតុអ្វី ប៉ុន្មាន",
    choice_words="ឬ",
)

BURMESE = Table(
    tags="my",
    conjunctions="နဲ့ နှင့် ဒါပေမယ့် ဒါပေမဲ့ ဒါမှမဟုတ် သို့မဟုတ် ဘာလို့လဲဆိုတော့",
    done="ကျေးဇူးတင်ပါတယ် ကျေးဇူးပဲ ကျေးဇူးပါ",
    particles="ပါတယ် ပါလား သလား ပါပြီ ပါရှင့် ပါခင်ဗျာ",
    yes="ဟုတ်ကဲ့ ဟုတ်တယ် ဟုတ်ပါတယ် ရပါတယ် ဟုတ် အင်း",
    no="မဟုတ်ဘူး မဟုတ်ပါဘူး မရှိဘူး မလိုဘူး မရဘူး",
    backchannels="ဟုတ်ကဲ့ ဟုတ် အင်း အိုကေ",
    stops="ရပ် ခဏလေး ခဏစောင့် မဟုတ်ဘူး",
    polite="ကျေးဇူးပြုပြီး ကျေးဇူးတင်ပါတယ် ပါ",
    numbers="သုည=0 တစ်=1 နှစ်=2 သုံး=3 လေး=4 ငါး=5 ခြောက်=6 ခုနစ်=7 ရှစ်=8 ကိုး=9 ဆယ်=10",
    question_words="ဘာ ဘယ်သူ ဘယ်မှာ ဘယ်တော့ ဘယ်လို ဘာကြောင့် ဘယ်လောက်",
)

TABLES = (THAI, VIETNAMESE, INDONESIAN, MALAY, TAGALOG, LAO, KHMER, BURMESE)
