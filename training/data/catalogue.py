"""What is published about each data set: its files, their digests, counts and classes.

The md5 of the archives are those on the authors' pages (Krizhevsky 2009; Netzer et al. 2011 as torchvision lists
them; Xiao et al. 2017). The digests of the files inside are those of torchvision (md5, Python version) and of MXNet
(sha1, binary version), which check the files of their users against them. The SHA-256 and sizes of what is fetched are
those that Keras (CIFAR), torchvision's prototypes and TensorFlow Datasets check against: taken over, not computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published data set.

    name, title  : as `load` and as a table calls it
    classes      : in the order of the labels
    train, test  : numbers of images; shape : (channels, height, width) of one
    files        : digest (md5 or sha1) of each file that may hold it, packed or unpacked, by the file's name
    pins         : (bytes, SHA-256) of files that are fetched, which withstand a forger as an md5 does not
    site         : where the files in `fetch`, all of one version, are published
    also         : where they are too, without encryption, for the time that `site` cannot be reached; "" for nowhere
    mean, std    : per channel, of the training pixels in [0, 1] (the paper's App. E); () where not at hand
    """

    name: str
    title: str
    classes: tuple[str, ...]
    train: int
    test: int
    shape: tuple[int, int, int]
    files: Mapping[str, str]
    site: str
    fetch: tuple[str, ...]
    pins: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    also: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


CIFAR10_CLASSES = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())  # noqa: SIM905
CIFAR100_CLASSES = tuple(
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm""".split()  # noqa: SIM905
)
FASHION_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
DIGITS = tuple("0123456789")

CATALOGUE: dict[str, Published] = {
    "cifar10": Published(
        name="cifar10",
        title="CIFAR-10",
        classes=CIFAR10_CLASSES,
        train=50_000,
        test=10_000,
        shape=(3, 32, 32),
        files={
            "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
            "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
            "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
            "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
            "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
            "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
            "test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c",
        },
        site="https://www.cs.toronto.edu/~kriz/",
        fetch=("cifar-10-python.tar.gz",),
        pins={
            "cifar-10-python.tar.gz": (
                170_498_071,
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            )
        },
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2471, 0.2435, 0.2616),
    ),
    "cifar100": Published(
        name="cifar100",
        title="CIFAR-100",
        classes=CIFAR100_CLASSES,
        train=50_000,
        test=10_000,
        shape=(3, 32, 32),
        files={
            "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
            "cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "train.bin": "e207cd2e05b73b1393c74c7f5e7bea451d63e08e",
            "test.bin": "8fb6623e830365ff53cf14adec797474f5478006",
        },
        site="https://www.cs.toronto.edu/~kriz/",
        fetch=("cifar-100-python.tar.gz",),
        pins={
            "cifar-100-python.tar.gz": (
                169_001_437,
                "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            )
        },
        mean=(0.5070751592371323, 0.48654887331495095, 0.4409178433670343),
        std=(0.2673342858792401, 0.2564384629170883, 0.27615047132568404),
    ),
    "svhn": Published(
        name="svhn",
        title="SVHN",
        classes=DIGITS,
        train=73_257,
        test=26_032,
        shape=(3, 32, 32),
        files={
            "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
            "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
        },
        site="https://ufldl.stanford.edu/housenumbers/",
        also="http://ufldl.stanford.edu/housenumbers/",
        fetch=("train_32x32.mat", "test_32x32.mat"),
        pins={
            "train_32x32.mat": (
                182_040_794,
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            ),
            "test_32x32.mat": (
                64_275_384,
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
            ),
        },
    ),
    "fashion-mnist": Published(
        name="fashion-mnist",
        title="Fashion-MNIST",
        classes=FASHION_CLASSES,
        train=60_000,
        test=10_000,
        shape=(1, 28, 28),
        files={
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
            # What those unpack to: Debian's copy has the same bytes in other gzip wrappers.
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        site="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        also="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        pins={
            "train-images-idx3-ubyte.gz": (
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            "t10k-images-idx3-ubyte.gz": (
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        },
        fetch=(
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
        ),
    ),
}


def where_to_get(published: Published, folder: object) -> str:
    """The end of a message: which file of the data set belongs into which folder, and where it is published."""
    files = " and ".join(f"{file} (md5 {published.files[file]})" for file in published.fetch)
    return f"put {files} from {published.site} into {folder}, by hand or with --download"
