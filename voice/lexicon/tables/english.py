"""English."""

from __future__ import annotations

from voice.lexicon.table import Table

TABLE = Table(
    tags="en",
    depth="deep",
    conjunctions="""
        and or but because cause if unless although though while whereas since so that_is nor
    """,
    prepositions="""
        of at from with to for into onto between without during about than via per toward
        towards
    """,
    articles="a an the",
    determiners="my your our their its every",
    subjects="""
        i we they he she i'm i'd i'll i've we're we'd we'll we've you're you'd you'll you've
        they're they'll he's she's it's that's there's let's what's who's
    """,
    verbs="name_is number_is address_is email_is code_is",
    adverbs="very",
    holds="i_want i_need i'd_like i_would_like can_you could_you",
    complete="so_do_i neither_do_i i_think_so hope_so not_yet",
    done="thank_you thanks that's_all that's_it bye goodbye please no_thanks no_thank_you",
    strands="what who which where how",
    fillers="uh um well like you_know i_mean let_me_see let's_see",
    yes="""
        yes yeah yep yup sure of_course correct right exactly absolutely definitely that's_right
        that's_correct yes_it_is yes_i_do yes_i_am i_do i_am it_is go_ahead fine
    """,
    no="no nope nah not_really no_i_don't no_it_isn't no_i'm_not not_at_all",
    backchannels="""
        mhm uh_huh yeah yes yep right okay sure i_see got_it great good alright all_right really
        oh wow true exactly
    """,
    stops="""
        stop wait no hold_on hang_on one_moment one_second excuse_me sorry listen pause shut_up
        enough
    """,
    polite="please thanks thank_you very_much so_much cheers",
    numbers="""
        zero=0 oh=0? o=0? one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10
        eleven=11 twelve=12 thirteen=13 fourteen=14 fifteen=15 sixteen=16 seventeen=17
        eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 sixty=60 seventy=70
        eighty=80 ninety=90 hundred=100 thousand=1000 million=1000000
    """,
    repeats="double=2 triple=3 treble=3",
    number_joiners="and",
    decimals="point",
    digit_words="digit digits number numbers",
    asks="""
        phone_number=phone mobile_number=phone telephone=phone number_can_we_reach=phone
        postcode=postcode postal_code=postcode zip_code=postcode pin=4 year=4 date_of_birth=any
        account_number=any card_number=16 order_number=any reference_number=any
        booking_number=any code=any number=any date=any
    """,
    question_words="what who whom whose which where when why how",
    yes_no_openers="""
        do does did is are was were can could will would shall should have has had may might am
        isn't aren't don't doesn't
    """,
    choice_words="or",
    requests="tell_me give_me please_say please_enter please_tell say spell",
)
