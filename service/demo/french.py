"""Invented news of Larkmouth, an invented harbour town, in French."""

from service.demo.sample import Sample, SamplePicture

FRENCH = (
    Sample(
        "demo-3",
        5,
        "Le marché couvert fête ses cent ans",
        "Trois jours de concerts, de cuisine et de souvenirs sous la verrière.",
        "Culture",
        "fr",
        "Claire Vasseur",
        (
            "La verrière du marché couvert a cent ans cette semaine, et la ville a choisi de lui rendre hommage là où tout"
            " se passe : entre les étals.",
            "Pendant trois jours, quarante marchands proposent un plat à prix unique, et un orchestre joue chaque soir"
            " sous les arches.",
        ),
        {
            0: SamplePicture(
                "roofs",
                "Luc Favre",
                "Le quartier du marché, au matin.",
                "La silhouette d’une ville au lever du jour",
            )
        },
        tags=("patrimoine", "marché"),
    ),
    Sample(
        "demo-13",
        17,
        "Le tram retrouve le pont, la ville retrouve son heure",
        "Dix-huit semaines de détours prennent fin, deux semaines plus tôt que prévu.",
        "Ville",
        "fr",
        "Claire Vasseur",
        (
            "Lundi, à 5 h 42, le premier tram depuis novembre a franchi le pont du port, sous les applaudissements.",
            "Les quarante-huit appuis ont été remplacés, ainsi que 1 200 mètres de rail.",
        ),
        {
            0: SamplePicture(
                "viaduct",
                "Ana Lind/Harbour Press",
                "Le pont du port, vu de la rive ouest.",
                "Un long pont à deux tours sous un ciel de nuages",
            )
        },
        tags=("transports", "marché"),
        quote=("Nous avions le bac et la patience, et tous deux s’épuisaient.", "Une libraire du quai"),
    ),
    Sample(
        "demo-14",
        30,
        "Sur les crêtes, la brume annonce la récolte du thé",
        "Les jardins d’altitude ouvrent leurs sentiers aux promeneurs.",
        "Environnement",
        "fr",
        "Hugo Lemaire",
        (
            "Quand la brume se lève avant huit heures, disent les anciens, la récolte sera bonne.",
            "Cette année, une équipe de l’université mesure s’ils ont raison : soixante stations relèvent l’humidité toutes"
            " les dix minutes.",
        ),
        {
            0: SamplePicture(
                "mist",
                "Luc Favre",
                "Les crêtes au-dessus du lac, un matin d’octobre.",
                "Des collines dans la brume",
            )
        },
        tags=("environnement",),
    ),
    Sample(
        "demo-15",
        45,
        "La forêt de Fern Hill s’ouvre aux écoliers",
        "Une classe par jour, dehors, quel que soit le temps.",
        "Ville",
        "fr",
        "Hugo Lemaire",
        (
            "À partir de lundi, chaque classe de la ville passera une journée par mois en forêt.",
            "« Il n’y a pas de mauvais temps », dit la directrice, « seulement de mauvaises chaussures. »",
        ),
        {
            0: SamplePicture(
                "firs", "Luc Favre", "Les sapins de Fern Hill.", "Des sapins devant des collines grises"
            )
        },
        tags=("environnement", "écoles"),
    ),
)
