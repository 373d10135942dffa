"""Made-up people for the demo: names, cities and telephone ranges of eight countries.

The telephone ranges are those that a country's regulator keeps free for film and books, so that
nobody can be reached on them. India and Brazil keep none: their numbers are merely well formed.
"""

from __future__ import annotations

import msgspec


class Country(msgspec.Struct, frozen=True):
    """What the people of one country are made from.

    `share` is in percent of all customers; `cities` pairs a name with its time zone; a telephone
    number is one of `prefixes` (E.164) followed by `digits` further digits.
    """

    code: str
    share: int
    languages: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]
    prefixes: tuple[str, ...]
    digits: int


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _in_zone(zone: str, *cities: str) -> tuple[tuple[str, str], ...]:
    return tuple((city, zone) for city in cities)


def _fictional(area_codes: str) -> tuple[str, ...]:
    """555-0100 to 555-0199 of each area code, kept free all over North America."""
    return tuple(f"+1{code}55501" for code in area_codes.split())


INDIA = Country(
    code="IN",
    share=25,
    languages=("en", "hi", "en", "ta", "mr", "bn"),
    women=_words(
        "Aarti Ananya Asha Deepa Divya Gauri Isha Kavita Kiran Lakshmi Madhu Meera Neha Nisha "
        "Pooja Priya Radha Rekha Sangeeta Shreya Sita Sunita Swati Uma Vidya Zoya"
    ),
    men=_words(
        "Aditya Ajay Amit Anil Arjun Ashok Deepak Farhan Ganesh Gopal Imran Karthik Manoj Mohan "
        "Nikhil Prakash Rahul Rajesh Ravi Rohan Sandeep Sanjay Suresh Varun Vijay Vikram"
    ),
    surnames=_words(
        "Agarwal Banerjee Bhat Chauhan Chopra Das Desai Deshmukh Fernandes Ghosh Gupta Iyer Jain "
        "Joshi Kapoor Khan Kulkarni Kumar Mehta Menon Mishra Mukherjee Naidu Nair Patel Patil "
        "Pillai Rao Reddy Sen Shah Sharma Shetty Singh Verma Yadav"
    ),
    cities=_in_zone(
        "Asia/Kolkata",
        *("Mumbai", "Delhi", "Bengaluru", "Hyderabad", "Chennai", "Pune", "Kolkata", "Ahmedabad"),
        *("Jaipur", "Kochi", "Lucknow", "Indore"),
    ),
    prefixes=("+919810", "+919820", "+919845", "+919880", "+919940"),
    digits=6,
)

UNITED_STATES = Country(
    code="US",
    share=28,
    languages=("en", "en", "en", "en", "es"),
    women=_words(
        "Abigail Amy Angela Barbara Carol Dana Deborah Donna Emily Grace Heather Jennifer Jessica "
        "Karen Laura Linda Maria Megan Michelle Nancy Nicole Patricia Rachel Rosa Susan Tiffany"
    ),
    men=_words(
        "Aaron Andrew Brandon Brian Carlos Charles Daniel David Eric Gary Gregory James Jason "
        "Jeffrey Joshua Kevin Luis Mark Matthew Michael Nathan Patrick Robert Ryan Scott William"
    ),
    surnames=_words(
        "Adams Allen Anderson Baker Brown Campbell Carter Clark Collins Davis Evans Flores Foster "
        "Garcia Gonzalez Green Hall Harris Hernandez Hill Jackson Johnson King Lee Lewis Lopez "
        "Martinez Miller Moore Nguyen O'Connor Parker Perez Rivera Rodriguez Smith Taylor Young"
    ),
    cities=(
        *_in_zone("America/New_York", "New York", "Philadelphia", "Boston", "Atlanta", "Miami"),
        *_in_zone("America/Chicago", "Chicago", "Houston", "Dallas", "Minneapolis"),
        *_in_zone("America/Denver", "Denver", "Salt Lake City"),
        *_in_zone("America/Phoenix", "Phoenix"),
        *_in_zone("America/Los_Angeles", "Los Angeles", "San Francisco", "Seattle", "San Diego"),
    ),
    prefixes=_fictional(
        "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 "
        "234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 "
        "308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 "
        "352 360 361 386 401 402 404 405 406 407 408 409 410 412"
    ),
    digits=2,
)

UNITED_KINGDOM = Country(
    code="GB",
    share=12,
    languages=("en",),
    women=_words(
        "Alice Bethan Charlotte Chloe Eleanor Fiona Gemma Hannah Harriet Imogen Jane Kirsty Lucy "
        "Margaret Nicola Olivia Poppy Rosemary Sarah Sophie Victoria Zainab"
    ),
    men=_words(
        "Alistair Callum Colin Duncan Edward George Graham Harry Hugh Ian Jack Keith Liam Malcolm "
        "Neil Nigel Oliver Owen Peter Rhys Simon Stuart Thomas"
    ),
    surnames=_words(
        "Ahmed Bailey Bennett Clarke Cooper Cox Davies Edwards Fraser Griffiths Hughes Hussain "
        "Jenkins Jones Kelly MacDonald Mitchell Morgan Murphy Phillips Price Roberts Robinson "
        "Scott Shaw Stewart Thompson Walker Watson White Williams Wilson Wright"
    ),
    cities=_in_zone(
        "Europe/London",
        *("London", "Leeds", "Sheffield", "Newcastle", "Leicester", "Bristol", "Birmingham"),
        *("Edinburgh", "Glasgow", "Liverpool", "Manchester", "Cardiff", "Belfast"),
    ),
    prefixes=(
        *("+442079460", "+441134960", "+441144960", "+441164960", "+441174960"),
        *(
            "+441184960",
            "+441214960",
            "+441314960",
            "+441414960",
            "+441514960",
            "+441614960",
            "+441914980",
        ),
    ),
    digits=3,
)

GERMANY = Country(
    code="DE",
    share=9,
    languages=("de",),
    women=_words(
        "Andrea Anja Birgit Claudia Franziska Greta Heike Ilse Johanna Katrin Lena Leonie Marlene "
        "Monika Petra Sabine Sigrid Silke Ursula Ute"
    ),
    men=_words(
        "Andreas Bernd Dieter Dirk Florian Friedrich Günther Hans Heinz Jens Jörg Jürgen Karl "
        "Klaus Lukas Matthias Otto Rainer Stefan Uwe Wolfgang"
    ),
    surnames=_words(
        "Bauer Becker Braun Fischer Groß Hartmann Hoffmann Huber Kaiser Keller Klein Koch König "
        "Krüger Lange Lehmann Meyer Müller Neumann Richter Schäfer Schmidt Schneider Schröder "
        "Schulz Vogel Wagner Weber Weiß Wolf Yılmaz Zimmermann"
    ),
    cities=_in_zone(
        "Europe/Berlin",
        *("Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Stuttgart", "Leipzig"),
        *("Düsseldorf", "Dresden"),
    ),
    prefixes=("+493023125", "+492214710", "+494066969", "+498999998", "+496990009"),
    digits=3,
)

BRAZIL = Country(
    code="BR",
    share=9,
    languages=("pt",),
    women=_words(
        "Adriana Aline Beatriz Camila Carolina Débora Fernanda Gabriela Helena Inês Juliana "
        "Larissa Letícia Luíza Márcia Mariana Patrícia Renata Sônia Tatiana Vitória"
    ),
    men=_words(
        "André Antônio Bruno Caio Eduardo Fábio Felipe Guilherme Gustavo Henrique João Jorge José "
        "Leandro Lucas Luiz Marcelo Mário Paulo Rafael Thiago Vinícius"
    ),
    surnames=_words(
        "Almeida Alves Araújo Barbosa Cardoso Carvalho Castro Correia Costa Dias Fernandes "
        "Ferreira Gomes Gonçalves Lima Lopes Machado Martins Melo Mendes Moreira Nascimento "
        "Oliveira Pereira Ribeiro Rocha Rodrigues Santos Silva Souza Teixeira Vieira"
    ),
    cities=(
        *_in_zone("America/Sao_Paulo", "São Paulo", "Rio de Janeiro", "Belo Horizonte", "Curitiba"),
        *_in_zone("America/Bahia", "Salvador"),
        *_in_zone("America/Recife", "Recife"),
        *_in_zone("America/Manaus", "Manaus"),
    ),
    prefixes=("+551199", "+552198", "+553198", "+554199", "+557199"),
    digits=7,
)

FRANCE = Country(
    code="FR",
    share=7,
    languages=("fr",),
    women=_words(
        "Agnès Amélie Aurélie Brigitte Camille Céline Chantal Claire Élodie Françoise Hélène "
        "Isabelle Jeanne Julie Léa Lucie Manon Margaux Mathilde Noémie Sandrine Sylvie"
    ),
    men=_words(
        "Alain Antoine Benoît Bernard Clément Didier Étienne François Gérard Guillaume Hugo Jérôme "
        "Julien Laurent Loïc Mathieu Nicolas Olivier Pascal Rémi Sébastien Théo Yves"
    ),
    surnames=_words(
        "Aubert Bernard Bertrand Blanc Bonnet Chevalier David Dubois Dupont Durand Fontaine "
        "Fournier François Garnier Girard Lambert Laurent Lefèvre Legrand Leroy Martin Mercier "
        "Michel Moreau Morel Perrin Petit Robert Roux Simon Thomas Vincent"
    ),
    cities=_in_zone(
        "Europe/Paris",
        *("Paris", "Lyon", "Marseille", "Toulouse", "Nantes", "Bordeaux", "Lille", "Strasbourg"),
        *("Nîmes", "Saint-Étienne"),
    ),
    prefixes=("+3319900", "+3326191", "+3335301", "+3346571", "+3353649"),
    digits=4,
)

CANADA = Country(
    code="CA",
    share=5,
    languages=("en", "en", "en", "fr"),
    women=_words(
        "Allison Amélie Brooke Catherine Chantal Claire Danielle Erin Geneviève Heather Isabelle "
        "Jocelyn Leah Mélanie Meredith Natalie Sophie Stephanie Vanessa"
    ),
    men=_words(
        "Alexandre Benjamin Blake Brent Cameron Connor Derek Dylan Étienne Evan Félix Geoffrey "
        "Gordon Ian Justin Marc Mathieu Raymond Tyler Wayne"
    ),
    surnames=_words(
        "Bélanger Bouchard Campbell Chan Côté Fortin Fraser Gagnon Gauthier Grant Kaur Lavoie "
        "Leblanc MacLeod Martin McKenzie Morin Ouellet Pelletier Reid Ross Roy Singh Stewart "
        "Tremblay Wong"
    ),
    cities=(
        *_in_zone("America/Toronto", "Toronto", "Montréal", "Ottawa", "Québec"),
        *_in_zone("America/Vancouver", "Vancouver", "Victoria"),
        *_in_zone("America/Edmonton", "Calgary", "Edmonton"),
        *_in_zone("America/Halifax", "Halifax"),
        *_in_zone("America/Winnipeg", "Winnipeg"),
    ),
    prefixes=_fictional("204 226 236 250 289 306 343 403 416 418 438 450 506 514 519 581 587 604"),
    digits=2,
)

AUSTRALIA = Country(
    code="AU",
    share=5,
    languages=("en",),
    women=_words(
        "Amber Bronwyn Caitlin Ebony Georgia Holly Isla Jacinta Kylie Lauren Mackenzie Matilda "
        "Narelle Ruby Sharyn Sienna Tahlia Tegan Willow"
    ),
    men=_words(
        "Angus Archie Bradley Brett Cooper Damien Darcy Flynn Glenn Heath Jarrod Lachlan Mitchell "
        "Riley Shane Toby Trent Troy Warren Xavier"
    ),
    surnames=_words(
        "Bishop Burns Chen Cook Doyle Ferguson Gibson Hayes Henderson Hogan Kennedy Lawson "
        "Marshall McCarthy Nguyen O'Brien Palmer Papadopoulos Pham Reynolds Rossi Ryan Simpson "
        "Sullivan Walsh Webb"
    ),
    cities=(
        *_in_zone("Australia/Sydney", "Sydney", "Canberra", "Newcastle"),
        *_in_zone("Australia/Melbourne", "Melbourne", "Geelong"),
        *_in_zone("Australia/Brisbane", "Brisbane"),
        *_in_zone("Australia/Perth", "Perth"),
        *_in_zone("Australia/Adelaide", "Adelaide"),
        *_in_zone("Australia/Hobart", "Hobart"),
    ),
    prefixes=("+6125550", "+6135550", "+6175550", "+6185550"),
    digits=4,
)

COUNTRIES = (
    *(INDIA, UNITED_STATES, UNITED_KINGDOM, GERMANY),
    *(BRAZIL, FRANCE, CANADA, AUSTRALIA),
)
