"""English."""

from __future__ import annotations

from voice.lexicon.table import Table

# "Yes, I am", "if you can", "as it was": these let an auxiliary stand at the end.
_AUXILIARIES = """
    is are am was were will would can could should do does did has had have must might may be
"""
_LETS_STAND = (
    "yes yeah no nope if so as than think sure hope wherever whatever whenever neither ok okay"
)
# "Where is", "what did": the same verbs after a question word have only begun.
_OPENED = " ".join(
    f"{word}_{verb}"
    for word in ["what", "where", "when", "why", "how", "which", "who"]
    for verb in [
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "can",
        "could",
        "should",
        "would",
        "will",
    ]
)

TABLE = Table(
    tags="en",
    depth="deep",
    conjunctions="""
        and or but because cause if unless although whereas since so nor plus whether while until
        till
    """,
    prepositions="""
        of at from with to for into onto between without during than via per toward towards upon
        despite except among regarding concerning about in on by as after like under against near
        within around
    """,
    articles="a an the",
    determiners="my your our their its his every whose mr mrs ms mister missus dr",
    subjects="""
        i we they he she i'm i'd i'll i've we're we'd we'll we've you're you'd you'll you've they're
        they'd they'll they've he's he'd he'll she's she'd she'll it's it'd it'll that's that'd
        that'll there's there'll let's what's who's where's here's
    """,
    verbs="""
        is are am was were be will would can could should do does did has have had must might gonna
        wanna gotta
    """,
    adverbs="very just approximately roughly not",
    holds=f"""
        {_OPENED} i_want i_need we_need do_i_need i'd_like i_would_like we'd_like i'd_rather can_you
        could_you would_you will_you do_you did_you have_you i_have we_have do_you_have let_me
        can_i_please could_i_please i_please you_please please_can_you for_example such_as and_then
        think_that thought_that said_that hope_that believe_that means_that sure_that so_that
        half_past quarter_past quarter_to dot underscore dash what_about how_about the_same_as
        as_well_as in_order_to this_is is_there are_there looks_like sounds_like something_like is_a
        one_of instead_of a_lot_of
    """,
    complete="""
        it_will_be all_i_need all_i_have yes_i_have no_i_have who_is_this what_is_this think_so
        hope_so guess_so so_so say_so if_so or_so so_do_i neither_do_i so_am_i than_i a_while
        kind_of sort_of course_not why_not if_not or_not rather_not hope_not guess_not probably_not
        maybe_not absolutely_not certainly_not definitely_not of_course_not love_to want_to_not
        don't_want_to didn't_want_to don't_have_to have_to_not wouldn't_want_to you_want_to
        you_have_to used_to supposed_to come_in came_in coming_in log_in logged_in logging_in logon
        sign_in signed_in signing_in check_in checked_in checking_in move_in moved_in moving_in
        get_in fill_in filled_in let_in drop_in plug_in pay_in paid_in stay_in go_in it_in them_in
        that_in him_in her_in me_in us_in hand_in call_in phone_in live_in go_on going_on hold_on
        hang_on come_on carry_on it_on that_on them_on log_on turn_on turned_on switch_on
        switched_on later_on early_on so_on move_on from_now_on put_on try_on stop_by drop_by
        come_by stand_by close_by go_by passing_by come_with go_with the_day_after year_after
        look_after soon_after about_it worry_about think_about talking_about talk_about all_about
        look_around turn_around come_around go_around get_around way_around come_from go_to could_be
        might_be should_be can_be may_be used_to_be to_be_honest how_are_you who_are_you
        where_are_you how_do_you_do what_can_you that_i_have just_about to_do can_do will_do does_it
        say_the_least anywhere_near nothing_like not_like you_have what_you_have one_on_one all_in
        opt_in well okay_thanks ok_thanks okay_thank_you ok_thank_you
    """,
    done="""
        thank_you thanks thank_you_very_much thank_you_so_much that's_all that_is_all that's_it
        that'll_be_all that_will_be_all that's_everything bye goodbye bye_bye see_you no_thanks
        no_thank_you please nothing_else good_night cheers
    """,
    strands_prepositions=True,
    strands="""
        what who which where how whom nothing anything something everything someone anyone somebody
        thing things what's who's where's
    """,
    completed_by=dict.fromkeys(_AUXILIARIES.split(), _LETS_STAND),
    after_numbers="am",
    fillers="""
        uh um like well you_know i_mean let_me_see let's_see let_me_think how_do_i_say
        what's_it_called hang_on_let_me
    """,
    yes="""
        yes yeah yep yup yah aye sure surely of_course correct right exactly absolutely definitely
        certainly indeed affirmative that's_right that_is_right that's_correct that_is_correct
        that's_fine that_is_fine it_is i_do i_am i_have i_can i_will i_would i_did he_is she_is
        they_are we_are we_do go_ahead fine sounds_good perfect great alright all_right that_works
        works_for_me i_think_so why_not it_does they_do true you_got_it no_problem yes_ma'am
        that'd_be_great that_would_be_great please_do
    """,
    no="""
        no nope nah nay negative not_really not_at_all i_don't i'm_not i_am_not it_isn't it's_not
        it_is_not i_can't i_cannot i_won't i_haven't i_didn't i_do_not that's_wrong wrong incorrect
        not_correct that's_not_right that's_not_correct that_is_not_right that_is_not_correct never
        not_yet i_don't_think_so of_course_not absolutely_not no_way they_don't we_don't not_now
        not_today
    """,
    backchannels="""
        mhm uh_huh yeah yes yep yup right okay sure i_see got_it gotcha great good alright all_right
        really oh wow true exactly nice cool perfect fine ah i_understand understood makes_sense
        of_course absolutely interesting lovely no_problem fair_enough
    """,
    stops="""
        stop wait no nope hold_on hang_on one_moment one_second one_sec just_a_second just_a_moment
        give_me_a_second excuse_me sorry pardon listen pause shut_up enough be_quiet not_that
        never_mind cancel forget_it actually
    """,
    not_stops="""
        no_problem no_worries can't_wait no_rush no_doubt bus_stop no_one the_next_stop i'm_sorry
        sorry_to_hear fair_enough good_enough sure_enough no_idea
    """,
    polite="""
        please thanks thank_you very_much so_much cheers ta much_appreciated if_you_please
        if_possible kindly sir madam ma'am a_lot
    """,
    numbers="""
        zero=0 nought=0 nil=0? oh=0? o=0? one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8
        nine=9 niner=9 ten=10 eleven=11 twelve=12 thirteen=13 fourteen=14 fifteen=15 sixteen=16
        seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 sixty=60
        seventy=70 eighty=80 ninety=90 hundred=100 thousand=1000 million=1000000
    """,
    repeats="double=2 triple=3 treble=3 quadruple=4",
    number_joiners="and",
    decimals="point",
    digit_words="digit digits",
    asks="""
        phone_number=phone mobile_number=phone cell_number=phone telephone=phone
        contact_number=phone callback_number=phone number_to_reach=phone number_can_we_reach=phone
        my_number=phone my_phone=phone my_mobile=phone my_cell=phone best_number=phone
        postcode=postcode post_code=postcode postal_code=postcode pin=any pin_code=any passcode=any
        password=any what_year=4 which_year=4 year_of_birth=4 year_were_you_born=4 date_of_birth=any
        birth_date=any birthday=any born=any account_number=any card_number=16 credit_card=any
        order_number=any reference_number=any booking_number=any confirmation_number=any
        confirmation_code=any reservation_number=any customer_number=any member_number=any
        membership_number=any policy_number=any case_number=any ticket_number=any invoice_number=any
        tracking_number=any social_security=9 security_code=any verification_code=any code=any
        last_four_of=4 last_4_of=4
        expiry_date=any expiration_date=any what_number=any the_number=any your_number=any
        number=any what_date=any which_date=any extension=any passport_number=any license_number=any
        serial_number=any zip_code=5 zip=5
    """,
    question_words="what who whom whose which where when why how what's who's where's when's how's",
    yes_no_openers="""
        do does did is are was were am can could will would shall should have has had may might
        isn't aren't wasn't don't doesn't didn't can't couldn't won't wouldn't haven't hasn't
        correct right okay anything_else any ready
    """,
    choice_words="or",
    tell_requests="""
        can_you_tell could_you_tell would_you_tell will_you_tell can_you_give could_you_give
        would_you_give can_you_describe could_you_describe can_you_explain could_you_explain
        can_you_say could_you_say can_you_spell could_you_spell can_you_repeat could_you_repeat
        can_you_please could_you_please can_you_share could_you_share can_you_elaborate
        could_you_elaborate can_you_walk could_you_walk may_i_have can_i_have could_i_have
        may_i_ask can_i_ask could_i_ask may_i_know can_i_get_your could_i_get_your may_i_get_your
    """,
    requests="""
        tell_me give_me please_say please_enter please_tell please_give please_confirm
        please_provide let_me_know i_need_your i'll_need_your say spell read_me go_ahead_with
        may_i_have can_i_have could_i_have i_just_need_your can_you_give could_you_give can_you_tell
        could_you_tell could_i_get can_i_get may_i_get can_i_take could_i_take i_get_your
        would_you_give would_you_tell
    """,
)
