"""English words. Each table: kind of word -> phrases, parted by commas, contractions written out. A longer one overrules those in it.

`stop` holds what may look like an answer and is none: questions, quotations, alternatives and hedges. What sounds nearly like its own
opposite ("could be better", "couldn't be better") is among them.
"""

from speech.words.table import Words

CONTRACTIONS = {
    "dont": "do not", "doesnt": "does not", "didnt": "did not", "isnt": "is not", "arent": "are not", "wasnt": "was not",
    "werent": "were not",
    "havent": "have not", "hasnt": "has not", "hadnt": "had not", "cant": "can not", "cannot": "can not", "couldnt": "could not",
    "wouldnt": "would not", "shouldnt": "should not", "wont": "will not", "aint": "is not", "im": "i am", "ive": "i have", "id": "i would",
    "its": "it is", "thats": "that is", "theyre": "they are", "theyve": "they have", "youre": "you are", "weve": "we have", "hes": "he is",
    "shes": "she is", "theres": "there is", "whats": "what is", "ok": "okay", "alright": "all right", "yup": "yep", "gonna": "going to",
    "lets": "let us", "someones": "someone is", "nobodys": "nobody is",
}  # fmt: skip

CONTRACTED = {
    "do not": "don't", "did not": "didn't", "was not": "wasn't", "is not": "isn't", "can not": "can't", "could not": "couldn't",
    "i am": "i'm", "it is": "it's", "that is": "that's", "i would": "i'd",
}  # fmt: skip

DIGITS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6"}
KEY_FRAMES = (
    "press {},number {},option {},key {},press number {},press key {},press the {},press the number {},i press {},i pressed {},"
    "button {},choice {},choose {},pick {},select {},choose number {},select number {},pick number {},the number {},digit {},"
    "answer {},answer number {},option number {},i choose {},i pick {}"
)
ORDINAL_FRAMES = "the {},{} one,the {} one,{} option,the {} option,{} choice,the {} choice"
SCORE_FRAMES = (
    "{} points,{} point,{} stars,{} star,{} out of five,{} out of 5,a {},give it a {},give it {},give them {},give them a {},"
    "rate it {},rate it a {},score {},a score of {},a rating of {},i give it {},i give it a {},i give them {},i give them a {},"
    "a {} out of five,give it a {} out of five,i would give it a {},i would give them a {},i would give it {},i would give them {},"
    "{} of five"
)
KEY_WORDS = {
    "*": "star,press star,star key,the star key,press the star key,asterisk",
    "#": "hash,pound,press hash,press pound,hash key,pound key",
}

COMMON = {
    "filler": (
        "um,umm,uh,uhm,er,erm,ah,oh,hm,hmm,mm,mhm,eh,well,i,i think,i think it is,i think it was,i think they were,i think i am,"
        "i guess,i suppose,i feel,i feel that,i believe,i would say,i would say it is,i would say it was,i would say i am,"
        "i have to say,i must say,to be honest,honestly,frankly,you know,please,thank you,thanks,thank you very much,thanks a lot,"
        "hello,hi,just,simply,it,it is,it was,i am,i was,i have been,we are,we were,we,they were,they are,that is,that was,"
        "my answer is,the answer is,answer,sorry,let us say,i am going to say,i will say,i will go with,i go with,going with,go with,"
        "i will take,i would go with"
    ),
    "stop": (
        "or,but,if,unless,except,although,though,however,what do you mean,what does that mean,what is,what does,mean,means,why,how,"
        "who,when,do you mean,is it,was it,are you,am i,could be better,could be worse,could have been better,could have been worse,"
        "could not be better,could not be happier,could not be worse,could not be more,yes and no,yes or no,not only,not just,"
        "not that,not so,not too bad,neither nor,either,could,should,would,might"
    ),
    "command repeat": (
        "repeat,repeat that,repeat it,repeat please,please repeat,please repeat that,repeat the question,please repeat the question,"
        "could you repeat,could you repeat that,can you repeat that,can you repeat the question,could you repeat the question,"
        "say that again,say it again,please say that again,could you say that again,can you say that again,again,again please,"
        "once again,once more,one more time,pardon,pardon me,i beg your pardon,come again,what,what was that,what did you say,"
        "i did not hear,i did not hear you,i did not hear that,i can not hear you,i did not catch that,i did not get that,"
        "i did not understand,i do not understand,hear it again,i want to hear it again,play it again,what was the question,say again"
    ),
    "command back": (
        "back,go back,back one,go back one,previous,previous question,the previous question,go to the previous question,"
        "last question,the last question,the question before,go back a question,go back to the last question,"
        "go back to the previous question,one back,back to the previous question"
    ),
    "command human": (
        "human,a human,person,a person,a real person,real person,operator,the operator,agent,an agent,representative,human being,"
        "speak to a person,speak to a human,speak to someone,speak to somebody,talk to a person,talk to a human,talk to someone,"
        "talk to somebody,speak with a person,i want to speak to a person,i want to talk to a person,i want to speak to someone,"
        "i want to talk to someone,i want to talk to a human,i would like to speak to a person,i would like to talk to a person,"
        "i would like to speak to someone,i want a person,i want a human,have a person call me,have someone call me,"
        "can i speak to a person,can i talk to a person,can i talk to a human,can i speak to a human,can i speak to someone,"
        "can i talk to someone,connect me to a person,operator please,agent please,customer service"
    ),
    "command not_now": (
        "not now,not right now,not today,busy,i am busy,i am busy now,i am busy right now,very busy,i am very busy,bad time,"
        "a bad time,it is a bad time,this is a bad time,now is a bad time,not a good time,it is not a good time,"
        "this is not a good time,now is not a good time,no time,i have no time,i do not have time,i do not have time now,"
        "i do not have time right now,call back later,call me back later,call me later,call later,please call back later,"
        "please call later,another time,some other time,maybe later,i am driving,i am at work,i am working,i am in a meeting,"
        "in a meeting,i can not talk,i can not talk now,i can not talk right now,can you call back later,can you call me later,"
        "could you call back later,try again later,some other day,another day"
    ),
    "command never": (
        "never call again,never call me again,never ever call again,never ever call me again,do not call again,do not call me again,"
        "do not ever call again,do not ever call me again,do not ever call me,please do not call again,please do not call me again,"
        "please never call again,please never call me again,stop calling,stop calling me,please stop calling,please stop calling me,"
        "do not call me any more,do not call any more,do not call me anymore,do not call anymore,no more calls,no more calls please,"
        "no more such calls,i want no more calls,i do not want any more calls,take me off your list,take me off the list,"
        "remove me from your list,remove me from the list,i do not want to be called again,i never want to be called again"
    ),
    "unsure": (
        "not sure,i am not sure,not really sure,not quite sure,not so sure,not too sure,not very sure,not certain,i am not certain,"
        "unsure,i am unsure,i do not know,do not know,i would not know,no idea,i have no idea,no opinion,i have no opinion,"
        "can not say,i can not say,could not say,i could not say,hard to say,it is hard to say,difficult to say,can not tell,"
        "i can not tell,i do not remember,do not remember,can not remember,i can not remember,i did not notice,did not notice,"
        "i could not tell,no comment,i can not judge,can not judge"
    ),
}

SCALE = {
    "filler": (
        "indeed,yes,yeah,yep,overall,in general,generally speaking,all in all,on the whole,all things considered,with it,with them,"
        "with that,with the service,with the police,with the officers,with the outcome,with the result,with everything,about it,"
        "the service,the service was,the service is,the officers,the officers were,the police,the police were,the outcome,"
        "the outcome was,the result,the result was,the response,the response was,everything,everything was,it all was,definitely,"
        "certainly,actually,i find it,i found it,i found them,i thought it was,i thought they were"
    ),
    "degree high": (
        "very,very very,really,really really,extremely,highly,totally,completely,absolutely,fully,entirely,super,most,truly,utterly,"
        "deeply,thoroughly,incredibly,exceptionally,one hundred percent,a hundred percent,hundred percent"
    ),
    "degree soft": (
        "quite,fairly,pretty,rather,somewhat,mostly,generally,reasonably,basically,a bit,a little,a little bit,slightly,kind of,"
        "sort of,relatively,moderately"
    ),
    "degree after": "very much,very much so,completely so",
    "degree at all": "at all,in the least,one bit,in the slightest",
    "negation plain": "not",
    "negation mild": (
        "not very,not really,not too,not particularly,not especially,not quite,not all that,not so very,not overly,not that very,"
        "not exactly,not so,not that"
    ),
    "negation firm": (
        "not at all,not in the least,not even slightly,not even a bit,not remotely,not one bit,not in the slightest,not even a little"
    ),
    "opinion +1 plain": "satisfied,happy,pleased,content,good,satisfactory,impressed",
    "opinion +1 idiom": (
        "fine,just fine,quite all right,i am satisfied with it,i am happy with it,no complaints,i have no complaints,a good job,"
        "did a good job,they did a good job,nice"
    ),
    "opinion +2 idiom": (
        "excellent,great,fantastic,wonderful,perfect,brilliant,outstanding,superb,amazing,awesome,terrific,first class,top marks,"
        "full marks,delighted,a great job,did a great job,they did a great job,the best,top notch,exceptional,marvellous,marvelous"
    ),
    "opinion 0 plain": "average,so so,soso,middling,neutral,medium",
    "opinion 0 idiom": (
        "neither,neither good nor bad,neither satisfied nor dissatisfied,neither happy nor unhappy,neither one nor the other,"
        "neither of them,neither of the two,it was okay,it is okay,they were okay,that was okay,it was all right,it is all right,"
        "they were all right,just okay,only okay,pretty okay,okay i guess,okay i suppose,all right i guess,i guess it was okay,"
        "i guess okay,so so i guess,in the middle,in between,somewhere in between,somewhere in the middle,the middle,"
        "middle of the road,half and half,fifty fifty,nothing special,neither here nor there,run of the mill,fair,passable,tolerable,"
        "acceptable,adequate,the service was okay,the police were okay,the officers were okay,i was neutral,i am neutral,meh"
    ),
    "opinion -1 plain": "dissatisfied,unsatisfied,unhappy,displeased,disappointed,bad,poor,unsatisfactory,disappointing,unimpressed",
    "opinion -1 idiom": (
        "no good,not good enough,not great,not so great,not that great,not very great,not fine,not up to standard,below average,"
        "needs improvement,a bad job,did a bad job,they did a bad job,a poor job,did a poor job,lousy,not nice,not okay,"
        "not all right,not acceptable,unacceptable,inadequate"
    ),
    "opinion -2 idiom": (
        "terrible,awful,horrible,dreadful,appalling,disgusting,abysmal,atrocious,pathetic,the worst,worst,a terrible job,"
        "did a terrible job,they did a terrible job,a disgrace,disgraceful,very very bad,furious"
    ),
    "stop": (
        "i am fine,i am just fine,i am good,i am okay,i am great,i am all right,no,nope,nah,okay,all right,right,good question,"
        "good morning,good afternoon,good evening,good day,goodbye,good bye,too bad,not bad,not too bad,not so bad,not that bad,"
        "not half bad,not very bad,not really bad,pretty well,very well,satisfied or dissatisfied,satisfied or not,happy or not,"
        "for good,good for you,good luck,good idea,good enough,good and bad,good grief,oh great,happy to,fair enough,fine whatever,"
        "that is fine,a good question,my bad,i feel bad,poor you,great question,less than satisfied,more than satisfied,never,"
        "nothing,not nothing,not neither"
    ),
}

YES_NO = {
    "yes": (
        "yes,yeah,yep,yes indeed,that is right,right,correct,that is correct,exactly,indeed,of course,certainly,definitely,"
        "absolutely,sure,true,uh huh,affirmative,yes it is,yes i did,i did,yes please,yes sir"
    ),
    "no": (
        "no,nope,nah,no thanks,no thank you,not at all,that is not right,that is not correct,that is wrong,no way,no i did not,"
        "i did not,negative,not really,no sir,of course not,certainly not,definitely not,absolutely not"
    ),
    "stop": "not,not no,not yes,not sure,is that right,not right,not correct,not true,not wrong,okay",
}

IDENTITY = {
    "yes": (
        "that was me,it was me,that is me,it is me,it was i,i called,i called them,i called the police,i made the call,i did call,"
        "speaking,yes that was me,yes it was me,i myself,it was myself"
    ),
    "no": (
        "not me,that was not me,it was not me,that is not me,it is not me,no that was not me,no it was not me,i did not call,"
        "i did not call them,i did not call the police,i never called,i have not called,somebody else,someone else,"
        "it was someone else,it was somebody else,wrong number,wrong person,you have the wrong number,you have the wrong person,"
        "my wife called,my husband called"
    ),
    "stop": "was that me,was it me,who",
}

EXISTENCE = {
    "yes": (
        "somebody did,someone did,somebody asked,someone asked,somebody asked me,someone asked me,somebody,someone,they did,"
        "there was,yes there was,misconduct,there was misconduct,he did,she did"
    ),
    "no": (
        "nobody,no one,nobody did,no one did,nobody asked,no one asked,nobody asked me,no one asked me,nobody has,none,nothing,"
        "nothing like that,there was not,there was none,there was nothing,no misconduct,there was no misconduct,no there was not,"
        "they did not,he did not,she did not,no nobody did,no nobody,none at all,nobody at all,nothing at all"
    ),
    "stop": "not nobody,not nothing,not none,not no one,who,did somebody,did someone,did nobody",
}

CONSENT = {
    "yes": (
        "okay,all right,i agree,agreed,agree,you may,they may,you can,they can,go ahead,fine,contact me,please contact me,"
        "they may contact me,they can contact me,you may contact me,you can contact me,i do not mind,no problem,why not,i consent,"
        "i would like that,please do,sure thing,yes they may,yes they can"
    ),
    "no": (
        "no contact,do not contact me,please do not contact me,do not contact,not contact me,i do not agree,i disagree,they may not,"
        "they can not,you may not,i would rather not,rather not,no need,not necessary,no need to,please do not,i do not want that,"
        "i do not want to,i do not want to be contacted,i do not want contact,i refuse,leave me alone,no i would rather not,"
        "better not,no contact please,they should not contact me"
    ),
    "stop": ("do not call me,not okay,not fine,not agree,may they,can they,i do not know,no problem at all,not no problem,not a problem"),
}

MARKS = {
    "existence": "nobody,somebody,someone,anybody,misconduct,there,none,did,had",
    "consent": "contact,agree,allow,may,consent,okay,call,want",
}

TIMES = {
    "later_today": "later today,today later,later on today,later this day,this afternoon or later,later,in a while,in a few hours",
    "this_evening": "this evening,tonight,today in the evening",
    "tomorrow_morning": "tomorrow morning,in the morning tomorrow,tomorrow in the morning,early tomorrow",
    "tomorrow_afternoon": "tomorrow afternoon,tomorrow in the afternoon,in the afternoon tomorrow",
    "tomorrow_evening": "tomorrow evening,tomorrow night,tomorrow in the evening,in the evening tomorrow",
    "weekend": "weekend,the weekend,at the weekend,on the weekend,this weekend,at the week end",
}

NEGATES: dict[str, str] = {}
NEGATIVE_STARTS = "no,not,nobody,none,never,nothing,do"

DENIALS = "not,did not,do not,does not,could not,would not,never,nobody,is not,was not,not to"
NO_DENIALS = "why not,can not you,will not you,can you not"

LISTEN_FILLERS = "um,uh,well,i think,i guess,i would say,it was,i am,they were,please,thank you,the"
LISTEN_SCALE = (
    "very satisfied,really satisfied,extremely satisfied,completely satisfied,satisfied,quite satisfied,fairly satisfied,"
    "mostly satisfied,pretty satisfied,very happy,happy,quite happy,pleased,very pleased,good,very good,really good,pretty good,"
    "quite good,excellent,great,fantastic,perfect,fine,neither,neutral,average,so so,okay,it was okay,just okay,all right,"
    "in the middle,fair,nothing special,neither good nor bad,neither satisfied nor dissatisfied,dissatisfied,not satisfied,"
    "not very satisfied,not really satisfied,not too satisfied,not quite satisfied,quite dissatisfied,a bit dissatisfied,"
    "somewhat dissatisfied,unsatisfied,unhappy,not happy,not very happy,not really happy,disappointed,not good,not very good,"
    "not so good,not great,no good,bad,poor,pretty bad,very dissatisfied,extremely dissatisfied,completely dissatisfied,"
    "really dissatisfied,not at all satisfied,not satisfied at all,very unhappy,really unhappy,very disappointed,very bad,very poor,"
    "really bad,terrible,awful,horrible,the worst,not dissatisfied,not unhappy,not bad,not too bad,could be better,"
    "could not be better,not sure,satisfied or dissatisfied,what do you mean,no,not,or,but,very"
)

WORDS = Words(
    blanks=True, digits=DIGITS, key_frames=KEY_FRAMES, score_frames=SCORE_FRAMES, key_words=KEY_WORDS,
    common=COMMON, scale=SCALE, yes_no=YES_NO, families={"existence": EXISTENCE, "consent": CONSENT, "identity": IDENTITY},
    marks=MARKS, negates=NEGATES, negative_starts=NEGATIVE_STARTS, times=TIMES, denials=DENIALS, no_denials=NO_DENIALS,
    listen_scale=LISTEN_SCALE, listen_fillers=LISTEN_FILLERS, ordinals=ORDINALS, ordinal_frames=ORDINAL_FRAMES, contractions=CONTRACTIONS,
    contracted=CONTRACTED,
)  # fmt: skip
